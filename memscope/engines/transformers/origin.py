"""Where a model comes from: a folder on this disk, or a name on the hub; and which state of it is meant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from memscope.base.errors import UsageError


@dataclass(frozen=True, slots=True)
class Origin:
    """`name`: the folder, or the model's name on the hub. `revision` changes with the files: a digest of their names,
    sizes and times, or the hub's commit; empty for a model of the hub that is not on this disk yet."""

    name: str
    revision: str
    local: bool

    @property
    def arguments(self) -> dict[str, str]:
        """What `from_pretrained` is told beside the name: the very commit, so that no newer one slips in between."""
        return {} if self.local or not self.revision else {"revision": self.revision}


def origin(model: str) -> Origin:
    """What `--model` means; reads no weights. Raises `UsageError` for what can be neither folder nor name."""
    if not model:
        raise UsageError("transformers needs a model", do="Give --model FOLDER, or a name on the hub.")
    path = Path(model).expanduser()
    try:
        if path.is_dir():
            return _folder(path)
        if path.is_file():
            do = "GGUF files are for --engine llamacpp." if path.suffix == ".gguf" else "Give the folder it lies in."
            raise UsageError("--model is a file, and transformers takes a folder", where=path, do=do)
    except OSError as error:
        raise UsageError(f"the model cannot be read ({error.strerror})", where=path) from error
    if model.startswith(("/", ".", "~", "\\")) or model.count("/") > 1:
        raise UsageError("there is no such folder", where=path, do="Give --model a model's folder, or its hub name.")
    return Origin(model, _cached(model), local=False)


def _folder(path: Path) -> Origin:
    files = sorted(file for file in path.iterdir() if file.is_file())
    names = {file.name for file in files}
    if "config.json" not in names:
        gguf = any(name.endswith(".gguf") for name in names)
        do = "GGUF files are for --engine llamacpp." if gguf else "Give the folder that save_pretrained wrote."
        raise UsageError("this folder holds no model: there is no config.json", where=path, do=do)
    if "adapter_config.json" in names:
        do = "Merge the adapter into its model first (merge_and_unload), and give the folder of that."
        raise UsageError("this folder holds an adapter, whose model is elsewhere", where=path, do=do)
    digest = hashlib.sha256()
    for file in files:
        about = file.stat()
        digest.update(f"{file.name}\0{about.st_size}\0{about.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return Origin(str(path.resolve()), digest.hexdigest()[:16], local=True)


def _cached(name: str) -> str:
    """The commit of a hub's model that lies in the local cache; empty where none does."""
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(name, "config.json")
    except ValueError as error:
        do = "A hub name looks like owner/name; a folder has to be there."
        raise UsageError(f"--model {name!r} is neither a folder nor a hub name", do=do) from error
    return Path(found).parent.name if isinstance(found, str) else ""
