"""The exceptions a user may meet. Leaves raise ValueError with the rule; the edge adds the place and picks one."""


class SynthgenError(Exception):
    """Something a user can act on: one line to print, and the exit code. Never shown with a traceback."""

    exit_code = 1


class InputError(SynthgenError):
    """What was given is wrong: recipe, config, source, model, arguments."""

    exit_code = 2


class ConfigError(InputError):
    """A YAML file with mistakes. `problems` holds every one as `file:line:column: path: what; what to do`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SourceError(InputError):
    """A source, or one file of it, that cannot be read as what it says it is."""


class UnknownIdsError(SourceError):
    """A label map with ids that its catalog does not have; `pixels` counts each."""

    def __init__(self, place: str, catalog: str, pixels: dict[int, int]) -> None:
        shown = ", ".join(f"{i} ({n} pixel{'s' if n > 1 else ''})" for i, n in list(pixels.items())[:5])
        more = f" and {len(pixels) - 5} more" if len(pixels) > 5 else ""
        ids = "ids" if len(pixels) > 1 else "id"
        super().__init__(f"{place}: holds {ids} {shown}{more}, no class of catalog {catalog}")
        self.pixels = pixels


class SampleError(SynthgenError):
    """One sample that cannot be read, edited or rendered: counted and quarantined, not fatal by itself."""


class StorageError(SynthgenError):
    """Storage that refuses: unwritable, full, missing, no credentials."""


class MissingFileError(StorageError):
    """A file that is not where it was looked for."""


class RunError(SynthgenError):
    """A run that cannot go on: too many failures, another run on the same output, other inputs than before."""


class Interrupted(SynthgenError):
    """Stopped by the user; the message says how to resume."""

    exit_code = 130
