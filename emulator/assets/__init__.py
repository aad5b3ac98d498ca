"""Static files beside a worker, served as the platform serves them: which file a path means, with which headers."""

from emulator.assets.answer import Request, answer
from emulator.assets.app import Beside
from emulator.assets.folder import Folders

__all__ = ["Beside", "Folders", "Request", "answer"]
