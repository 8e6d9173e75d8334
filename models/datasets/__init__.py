"""One reader per dataset: official layouts of labelled pictures of people, as they are on disk."""
