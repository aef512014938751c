"""The documentation site: the repository's own pages, staged for Zensical, built and checked."""
