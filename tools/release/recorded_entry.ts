// The program refuses to run with this variable; the runtime has obeyed it by now, which is what it is set for here.
delete process.env["BUN_BYTECODE_ORDER_OUT"];
await import("../../src/main.ts");
