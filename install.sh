#!/bin/sh
# Installs codex-login from its releases: one file, for the person who runs this, without root.
#
#   curl -fsSL https://github.com/codex-login/codex-login/releases/latest/download/install.sh | sh
#
# `sh install.sh --help` says what can be chosen. Nothing is put in place before its checksum was compared and it was
# started once; whatever goes wrong, an installed codex-login stays as it is.
set -eu

# Functions only, up to the last line, which counts only when it is whole: a download that was cut short does nothing.

REPOSITORY=https://github.com/codex-login/codex-login
NAME=codex-login

help() {
  cat <<END
Installs $NAME: one executable, into ~/.local/bin, without root.

usage: install.sh [--to DIR] [--version VERSION] [--base-url URL] [--dry-run]
       install.sh --uninstall [--to DIR] [--dry-run]

  --to DIR           installs into this folder
  --version VERSION  installs this version; default: the latest
  --base-url URL     where the releases are, as https; http on loopback only
                     (also CODEX_LOGIN_INSTALL_BASE)
  --dry-run          says what would be done, asks nobody and writes nothing
  --uninstall        removes what was installed; leaves logins, and says where they are
  --help             says this

Its archive is checked against the release's SHA256SUMS before anything is put in place.
END
}

main() {
  base=${CODEX_LOGIN_INSTALL_BASE:-$REPOSITORY/releases}
  version=latest
  to=
  dry_run=no
  uninstall=no
  while [ $# -gt 0 ]; do
    case $1 in
      --to | --version | --base-url)
        if [ $# -lt 2 ] || [ -z "$2" ]; then wrong_usage "$1 needs a value"; fi
        case $1 in
          --to) to=$2 ;;
          --version) version=${2#v} ;;
          --base-url) base=$2 ;;
        esac
        shift
        ;;
      --dry-run) dry_run=yes ;;
      --uninstall) uninstall=yes ;;
      --help | -h)
        help
        exit 0
        ;;
      *) wrong_usage "\"$1\" is not known" ;;
    esac
    shift
  done
  check_version
  choose_folder
  if [ "$uninstall" = yes ]; then
    remove
  else
    check_base
    find_platform
    install
  fi
}

say() { printf '%s\n' "$*"; }

# What happened, and what to do.
fail() {
  printf 'install.sh: %s\n' "$1" >&2
  shift
  for line; do printf 'try: %s\n' "$line" >&2; done
  exit 1
}

wrong_usage() {
  printf 'install.sh: %s\ntry: install.sh --help\n' "$1" >&2
  exit 2
}

has() { command -v "$1" >/dev/null 2>&1; }

check_version() {
  case $version in
    latest) ;;
    *[!0-9A-Za-z.+-]* | *..* | [!0-9]*) wrong_usage "\"$version\" is not a version" ;;
  esac
}

# https, or http to this machine: the checksums come from there, and are worth what the connection is worth.
check_base() {
  base=${base%/}
  case $base in
    *[!0-9A-Za-z._~:/%[\]-]*) wrong_usage "the base address has characters that do not belong there" ;;
  esac
  case $base in
    https://?*) protocol=https ;;
    http://?*)
      protocol=http
      host=${base#http://}
      host=${host%%/*}
      case $host in
        127.0.0.1 | localhost | "[::1]") ;;
        127.0.0.1:* | localhost:* | "[::1]":*)
          case ${host##*:} in
            "" | *[!0-9]*) wrong_usage "\"$host\" is not a host" ;;
          esac
          case ${host%:*} in
            127.0.0.1 | localhost | "[::1]") ;;
            *) wrong_usage "\"$host\" is not a host" ;;
          esac
          ;;
        *) wrong_usage "http is for this machine only: use https for $host" ;;
      esac
      ;;
    *) wrong_usage "the base address must begin with https://" ;;
  esac
}

choose_folder() {
  if [ -z "$to" ]; then
    [ -n "${HOME:-}" ] || fail "HOME is not set, so there is no ~/.local/bin" "install.sh --to DIR"
    to=$HOME/.local/bin
  fi
  case $to in
    /*) ;;
    *) to=$(pwd)/$to ;;
  esac
  while :; do
    case $to in
      ?*/) to=${to%/} ;;
      *) break ;;
    esac
  done
  installed=$to/$NAME
}

# Sets triple, and is_musl.
find_platform() {
  is_musl=no
  system=$(uname -s)
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) cpu=x86_64 ;;
    aarch64 | arm64) cpu=aarch64 ;;
    *) refuse_platform "$system on $machine" ;;
  esac
  case $system in
    Linux)
      # A 64-bit kernel may run 32-bit programs only, as on some Raspberry Pis.
      if has getconf && [ "$(getconf LONG_BIT 2>/dev/null || :)" = 32 ]; then
        refuse_platform "a 32-bit Linux on $machine"
      fi
      find_musl
      if [ "$is_musl" = yes ]; then libc=musl; else libc=gnu; fi
      triple=$cpu-unknown-linux-$libc
      ;;
    Darwin)
      # A shell that Rosetta translates is told that the processor is Intel's.
      if [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || :)" = 1 ]; then cpu=aarch64; fi
      triple=$cpu-apple-darwin
      ;;
    MINGW* | MSYS* | CYGWIN* | Windows*)
      fail "this installs on Linux and macOS only, and this is Windows ($system)" \
        "the zip file for Windows from $REPOSITORY/releases" \
        "npm install --global $NAME"
      ;;
    *) refuse_platform "$system on $machine" ;;
  esac
}

refuse_platform() {
  fail "there is no executable for $1" "npm install --global $NAME, where there is Node 20.3 or newer"
}

# The C library that programs here use: a system of the other kind may have musl's loader beside its own.
find_musl() {
  libc=
  if has ldd; then libc=$(ldd --version 2>&1 || :); fi
  case $libc in
    *musl*) is_musl=yes ;;
    *GLIBC* | *GNU* | *"Free Software"*) ;;
    *)
      if ! getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
        for loader in /lib/ld-musl-*; do
          if [ -e "$loader" ]; then is_musl=yes; fi
        done
      fi
      ;;
  esac
}

install() {
  if [ "$version" = latest ]; then
    sums_url=$base/latest/download/SHA256SUMS
  else
    sums_url=$base/download/v$version/SHA256SUMS
  fi
  check_place
  if [ "$dry_run" = yes ]; then
    say "Would read $sums_url,"
    say "download the archive for $triple that it names, compare its checksum, and start what is in it once;"
    if [ -e "$installed" ]; then say "then replace $installed."; else say "then put it at $installed."; fi
    say_path
    say "Nothing was written."
    return
  fi
  find_checksum_tool
  find_download_tool
  has tar || fail "there is no tar here" "install tar"
  # In the target folder, so that the last step is a rename; nobody else may look into it.
  make_folder
  work=$(umask 077 && mktemp -d "$to/.$NAME.XXXXXXXX") ||
    fail "nothing can be written in $to" "install.sh --to DIR, a folder of your own"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM

  download "$sums_url" "$work/SHA256SUMS"
  find_archive
  say "Downloading $archive"
  download "$base/download/v$version/$archive" "$work/archive"
  actual=$(checksum "$work/archive") || fail "the checksum could not be made"
  [ "$actual" = "$expected" ] ||
    fail "$archive is not what the release says: its SHA-256 is $actual, and should be $expected" \
      "once more; if it stays so, tell $REPOSITORY/issues"
  unpack
  start_once
  mv -f "$work/$NAME" "$installed" || fail "$installed could not be put in place"
  say "Installed $NAME $version: $installed"
  say "Completions and a man page are in $NAME-$version-extras.tar.gz, beside the archives."
  say_path
}

# What is there already is replaced only when it is a file, as this program makes it.
check_place() {
  if [ -L "$installed" ]; then
    fail "$installed is a link, which something else has made (npm, Homebrew)" \
      "update it with that, or remove it first, or install.sh --to DIR"
  fi
  if [ -e "$installed" ] && ! [ -f "$installed" ]; then
    fail "$installed is in the way, and not a file" "install.sh --to DIR"
  fi
}

make_folder() {
  mkdir -p "$to" 2>/dev/null || fail "the folder $to cannot be made" "install.sh --to DIR, a folder of your own"
}

find_checksum_tool() {
  for checksum_tool in sha256sum shasum openssl; do
    if has "$checksum_tool"; then return; fi
  done
  fail "nothing here can make a SHA-256 checksum, and unchecked nothing is installed" \
    "install one of sha256sum (coreutils), shasum (perl) and openssl"
}

checksum() {
  case $checksum_tool in
    sha256sum) sum=$(sha256sum <"$1") ;;
    shasum) sum=$(shasum -a 256 <"$1") ;;
    openssl) sum=$(openssl dgst -sha256 -r <"$1") ;;
  esac
  printf '%s\n' "${sum%% *}"
}

find_download_tool() {
  for download_tool in curl wget; do
    if has "$download_tool"; then return; fi
  done
  fail "there is neither curl nor wget here" "install one of them"
}

# download URL FILE
download() {
  case $download_tool in
    curl) use_curl "$1" "$2" ;;
    wget) use_wget "$1" "$2" ;;
  esac || fail "$1 could not be downloaded (the words of $download_tool are above)" \
    "once more, or another --version; the releases are listed at $REPOSITORY/releases"
}

# A release's address leads to others, all of them https; a server on this machine answers itself, and no proxy stands
# between.
use_curl() {
  if [ "$protocol" = http ]; then
    curl --noproxy '*' --proto '=http' --max-redirs 0 \
      --fail --silent --show-error --connect-timeout 20 --max-time 900 --output "$2" "$1"
  else
    curl --proto '=https' --tlsv1.2 --location --max-redirs 5 \
      --fail --silent --show-error --connect-timeout 20 --max-time 900 --output "$2" "$1"
  fi
}

use_wget() {
  set -- "$2" "$1"
  if has timeout; then limit="timeout 900"; else limit=; fi
  # That of busybox knows few options, and some builds of it crash at others.
  case $(wget --version 2>/dev/null || :) in
    *"GNU Wget"*) set -- "$@" --no-verbose --timeout=30 --tries=2 --max-redirect=5 ;;
    *) set -- "$@" -q ;;
  esac
  file=$1
  address=$2
  shift 2
  if [ "$protocol" = http ]; then
    http_proxy='' HTTP_PROXY='' $limit wget "$@" -O "$file" "$address"
    return
  fi
  # Some of them take any certificate, and say so; then anybody may have written the checksums.
  status=0
  $limit wget "$@" -S -O "$file" "$address" 2>"$work/wget.log" || status=$?
  if grep -iq 'certificate validation not implemented' "$work/wget.log"; then
    say "this wget checks no certificates: install curl" >&2
    return 1
  fi
  if grep -iq '^ *location: *http:' "$work/wget.log"; then
    say "it leads to an address without encryption" >&2
    return 1
  fi
  if [ "$status" != 0 ]; then cat "$work/wget.log" >&2; fi
  return "$status"
}

# Sets archive, version and expected from the release's checksums: one line for this platform, or nothing is installed.
find_archive() {
  found=0
  while read -r sum file rest || [ -n "$sum" ]; do
    file=${file#\*}
    case $file in
      "$NAME"-*-"$triple".tar.gz) ;;
      *) continue ;;
    esac
    of=${file#"$NAME-"}
    of=${of%"-$triple.tar.gz"}
    if [ "$version" != latest ] && [ "$of" != "$version" ]; then continue; fi
    [ -z "$rest" ] || fail "the release's SHA256SUMS cannot be read"
    found=$((found + 1))
    archive=$file
    expected=$sum
    found_version=$of
  done <"$work/SHA256SUMS"
  [ "$found" = 1 ] ||
    fail "the release has no archive for $triple (SHA256SUMS has $found)" \
      "another --version; the releases are listed at $REPOSITORY/releases"
  version=$found_version
  case $version in
    *[!0-9A-Za-z.+-]* | *..* | [!0-9]*) fail "the release's SHA256SUMS cannot be read" ;;
  esac
  case $expected in
    *[!0-9a-f]*) fail "the release's SHA256SUMS cannot be read" ;;
  esac
  [ ${#expected} = 64 ] || fail "the release's SHA256SUMS cannot be read"
}

# Exactly one entry, a file of the right name. Its bytes are written by us to a place of ours: no name, link or mode in an
# archive decides anything.
unpack() {
  # With what tar has to say: some leave out of a name what is wrong with it, and tell.
  names=$(tar -tzf "$work/archive" 2>&1) || fail "$archive cannot be read"
  kind=$(tar -tvzf "$work/archive" 2>/dev/null) || fail "$archive cannot be read"
  case $kind in
    -*"->"* | -*" link to "*) is_file=no ;;
    -*) is_file=yes ;;
    *) is_file=no ;;
  esac
  if [ "$names" != "$NAME" ] || [ "$is_file" = no ]; then
    fail "$archive is not what it should be: one file, $NAME"
  fi
  tar -xzOf "$work/archive" "$NAME" >"$work/$NAME" || fail "$archive could not be unpacked into $to"
  chmod 755 "$work/$NAME"
}

start_once() {
  if answer=$("$work/$NAME" --version 2>"$work/start.log" </dev/null); then
    case $answer in
      "$NAME $version" | "$NAME $version "*) return ;;
      *) fail "the new $NAME says that it is \"$answer\", not version $version" ;;
    esac
  fi
  head -n 5 "$work/start.log" >&2
  if [ "$is_musl" = yes ]; then
    fail "the new $NAME does not start here; with musl it needs libstdc++" "apk add libstdc++" "then this once more"
  fi
  fail "the new $NAME does not start here (its words are above); what was installed is as it was" \
    "npm install --global $NAME, where there is Node 20.3 or newer"
}

say_path() {
  case ":$PATH:" in
    *":$to:"*) ;;
    *)
      case ${SHELL:-} in
        */fish) say "$to is not on your PATH. Add it: fish_add_path \"$to\"" ;;
        */zsh) say_line .zshrc ;;
        */bash) say_line .bashrc ;;
        *) say_line .profile ;;
      esac
      ;;
  esac
  other=$(command -v "$NAME" || :)
  case $other in
    "" | "$installed") ;;
    *) say "Another $NAME comes first on your PATH: $other" ;;
  esac
}

say_line() {
  say "$to is not on your PATH. Add this line to ~/$1, and open a new terminal:"
  say "  export PATH=\"$to:\$PATH\""
}

# Only a file that says that it is this program.
remove() {
  if [ -L "$installed" ]; then
    fail "$installed is a link, which something else has made" "npm uninstall --global $NAME, or brew uninstall $NAME"
  fi
  [ -e "$installed" ] || fail "there is no $installed" "install.sh --uninstall --to DIR"
  if ! [ -f "$installed" ] || ! answer=$("$installed" --version 2>/dev/null </dev/null); then answer=; fi
  case $answer in
    "$NAME "*) ;;
    *) fail "$installed does not say that it is $NAME, so it stays" "rm '$installed', if it is" ;;
  esac
  if [ "$dry_run" = yes ]; then
    say "Would remove $installed. Nothing was written."
  else
    rm -f "$installed" || fail "$installed cannot be removed"
    say "Removed $installed."
  fi
  say "Logins are kept, in ${CODEX_HOME:-${HOME:-~}/.codex}/auth.json or the system's keyring: they are Codex CLI's too."
  say "To end one, sign out before you uninstall: $NAME logout"
}

{ main "$@"; exit; }
