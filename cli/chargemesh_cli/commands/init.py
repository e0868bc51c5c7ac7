"""`chargemesh init`: a home with keys and settings, the recovery phrase as a step of its own."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from chargemesh_protocol.errors import ExitCode, PersonError

from .. import prompts
from ..app import App, pass_app
from ..lazy import command

_DEFAULT_NETWORK = "chargemesh-dev-1"
_WORDS_A_LINE = 6
_PHRASE_WORDS = 24
_WORDS_ASKED = 2
_WHAT_WORDS_DO = (
    "Keep the words for a later version, which will replace lost keys with them. Today only a backup brings "
    "an identity back: `chargemesh backup FILE`."
)


@command("init")
@click.option("--network", default=_DEFAULT_NETWORK, show_default=True, help="The network to take part in.")
@click.option("--yes", is_flag=True, help="Ask nothing; the phrase is printed once.")
@click.option(
    "--phrase-file",
    type=click.Path(path_type=Path),
    help="Keep the recovery phrase in this new file (0600); if it exists, use its words for a new identity.",
)
@click.option(
    "--backup", "backup_file", type=click.Path(path_type=Path), help="Also write a sealed backup there."
)
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path), help="A file with the backup's passphrase."
)
@pass_app
def init(
    app: App,
    network: str,
    yes: bool,
    phrase_file: Path | None,
    backup_file: Path | None,
    passphrase_file: Path | None,
) -> None:
    """Make a node's home: keys, recovery phrase, settings.

    Today only a backup brings an identity back: make one, with --backup or `chargemesh backup FILE`. The
    recovery phrase is shown once and not kept: it is for a later version, which will replace lost keys with
    it. No command uses it yet; the same words given to another `init` make a new identity. Keep them secret.
    """
    from chargemesh_node import offline

    home = app.home
    offline.require_fresh(home)
    offline.check_network(network)
    if not (yes or app.interactive or phrase_file):
        raise PersonError(
            "not-a-terminal",
            "The recovery phrase must be shown to somebody, and this is no terminal.",
            "Add --phrase-file FILE to keep it in a file, or --yes to have it printed.",
            ExitCode.USAGE,
        )
    sealed_with = None
    if backup_file is not None:
        sealed_with = offline.check_passphrase(prompts.passphrase(app, passphrase_file, twice=True))
    given = phrase_file is not None and phrase_file.exists()
    phrase = prompts.read_words(phrase_file) if given and phrase_file else offline.new_phrase()
    offline.check_phrase(phrase)
    shown = phrase_file is None
    if shown and app.interactive and not yes:
        _show_and_ask(app, phrase)
    elif phrase_file is not None and not given:
        _write_phrase(phrase_file, phrase)
    author = offline.create(home, phrase=phrase, network=network)
    app.say(f"Your node lives in {home.root}. Its identity is {author[:16]}… on {network}.")
    if shown and yes:
        app.say("Recovery phrase (write it down; it is not kept anywhere):")
        app.say(_layout(phrase))
        app.say(_WHAT_WORDS_DO)
    elif given:
        app.say(
            f"The words in {phrase_file} are used again, and this is nevertheless a NEW identity: they bring "
            "none back. To have an earlier one again: `chargemesh --home NEW restore FILE`, with its backup."
        )
    elif phrase_file is not None:
        app.say(f"The recovery phrase is in {phrase_file}: move it to a safe place away from this machine.")
        app.say(_WHAT_WORDS_DO)
    if backup_file is not None and sealed_with is not None:
        offline.backup(home, backup_file, sealed_with)
        app.say(f"The backup is in {backup_file}.")
    elif app.interactive and not yes:
        backup_file = _offer_backup(app)
    app.say("Next: `chargemesh charger add` for a host, `chargemesh find --near PLACE` for a driver.")
    app.result(
        {
            "author": author,
            "home": str(home.root),
            "network": network,
            "phrase": phrase if shown and yes else None,
            "backup": str(backup_file) if backup_file else None,
        }
    )


def _show_and_ask(app: App, phrase: str) -> None:
    """A step of its own: the words, then two of them back, so that they were really written down."""
    app.note("Step 1 of 2: your recovery phrase. Write these 24 words on paper, in order.")
    app.note(f"{_WHAT_WORDS_DO}\n")
    app.note(_layout(phrase))
    app.note("")
    words = phrase.split()
    for number in _words_to_ask():
        _ask_word(number, words[number - 1])
    click.clear()  # does nothing unless it is a terminal
    app.note("Good. The words are not kept on this machine.\nStep 2 of 2: making the keys.")


def _words_to_ask() -> list[int]:
    return sorted(secrets.SystemRandom().sample(range(1, _PHRASE_WORDS + 1), _WORDS_ASKED))


def _ask_word(number: int, word: str) -> None:
    def read(text: str) -> str:
        if text.lower() not in (word, word[:4]):
            raise PersonError("wrong-word", f"That is not word {number}.", "Look at your note.")
        return text

    prompts.ask(f"Word {number}", read)


def _layout(phrase: str) -> str:
    words = phrase.split()
    lines = []
    for first in range(0, len(words), _WORDS_A_LINE):
        numbered = enumerate(words[first : first + _WORDS_A_LINE], first + 1)
        lines.append("  " + "  ".join(f"{number:>2}. {word:<8}" for number, word in numbered).rstrip())
    return "\n".join(lines)


def _write_phrase(path: Path, phrase: str) -> None:
    from chargemesh_node.home import write_new_private_file

    try:
        write_new_private_file(path, phrase.encode() + b"\n")
    except OSError as error:
        raise PersonError(
            "cannot-write", f"Cannot write {path}: {error.strerror}.", "Choose another place.", ExitCode.USAGE
        ) from error


def _offer_backup(app: App) -> Path | None:
    """A node without a backup is lost with its machine; said once, at the right moment."""
    from chargemesh_node import offline

    app.note("\nOnly an encrypted backup brings this identity back: it holds keys, bookings and settings.")
    app.note("Keep it on another machine.")
    if not prompts.confirm("Write one now?", default=True):
        app.note("`chargemesh backup FILE` does it later.")
        return None
    path = prompts.ask("File", _new_file, default=str(Path.home() / "chargemesh.backup"))
    secret = prompts.ask_secret("Passphrase", offline.check_passphrase)
    offline.backup(app.home, path, secret)
    app.note(f"The backup is in {path}.")
    return path


def _new_file(text: str) -> Path:
    path = Path(text).expanduser()
    if path.exists():
        raise PersonError("file-exists", f"{path} exists already.", "Choose another name.", ExitCode.USAGE)
    if not path.absolute().parent.is_dir():
        raise PersonError(
            "no-such-folder", f"{path.absolute().parent} is no folder.", "Choose another.", ExitCode.USAGE
        )
    return path
