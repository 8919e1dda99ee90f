"""DOCX by python-docx: Word's own styles, headings, lists and tables (WordprocessingML, ECMA-376)."""
