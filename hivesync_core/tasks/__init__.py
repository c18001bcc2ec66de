"""Tasks: from open over help and completion to approval, with help as a lease."""
