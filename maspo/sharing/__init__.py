"""Results in the forms that others' tools read: those of the Hugging Face hub, and lighteval's."""
