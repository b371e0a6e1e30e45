"""Data files of the product: theme, translations, failure texts, sample hall."""
