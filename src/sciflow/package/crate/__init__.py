"""The RO-Crate of a package: what is in it and how it came about, for machines that know nothing of sciflow."""
