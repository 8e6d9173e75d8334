"""Losses as functions of tensors, one file each. Rows are crops; modality is an argument."""
