"""The reference in `docs/` and the README, made of the code and kept between marks."""
