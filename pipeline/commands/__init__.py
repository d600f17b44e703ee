"""One file a command: parse arguments, call the part that does the work, print. Only typer and stdlib at the top."""
