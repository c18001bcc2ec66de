"""The ledger of exposure as an export: who was shown which file and which lines, when; never what stands in them."""
