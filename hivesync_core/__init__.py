"""The rules of HiveSync: pure functions over immutable events, without I/O."""
