"""The check of comments in processes of its own, which can be killed: a grammar is C code, and some inputs hang one."""

from adapters.safety.checker import SafetyBusy, SafetyChecker, SafetyCrashed, SafetyError, SafetyTimeout

__all__ = ["SafetyBusy", "SafetyChecker", "SafetyCrashed", "SafetyError", "SafetyTimeout"]
