"""What must not be in a package: found in texts, code, documents and what is compressed, and taken out."""
