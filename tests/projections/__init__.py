"""Read models: replayed equals live, batches equal single steps, as-of equals a fold of the prefix, and no fault hurts."""
