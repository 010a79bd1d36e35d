import type { User } from "./users.ts";

/** The test issuer's sign-in page: one button a person, and one to say no. */
export function renderSignIn(users: readonly User[], query: URLSearchParams): string {
  const hidden = [...query].map(([name, value]) =>
    `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`
  ).join("\n");
  const buttons = users.map((user) =>
    `<button name="as" value="${escape(user.sub)}">Continue as ${escape(user.email)}</button>`
  ).join("\n");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Demo issuer – sign in</title>
<style>
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 1rem/1.5 system-ui, sans-serif; background: #eef1f6; color: #16202e; }
main { width: min(26rem, 90vw); padding: 2rem; background: #fff; border-radius: 1rem; }
button { display: block; width: 100%; margin-top: .75rem; padding: .7rem; font: inherit; font-weight: 600; border: 1px solid #1d4f91; border-radius: .5rem; background: #1d4f91; color: #fff; cursor: pointer; }
button.no { background: #fff; color: #1d4f91; }
</style>
<main>
<h1>Demo issuer</h1>
<p>This issuer runs on your own machine. It knows these people and nobody else.</p>
<form action="/oauth/authorize" method="get">
${hidden}
${buttons}
<button class="no" name="as" value="">Deny</button>
</form>
</main>
</html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
