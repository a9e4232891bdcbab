"""The console's texts in other languages: what there is to translate, and whether it is."""
