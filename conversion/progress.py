"""What the job says while it runs, on standard output."""


def phase(name: str, detail: str) -> None:
    """Tells which phase begins: load, golden, freeze, convert, check or write."""
    say(f"phase={name} {detail}")


def say(text: str) -> None:
    """Writes one line at once: Azure ML streams the log."""
    print(f"slipway: {text}", flush=True)
