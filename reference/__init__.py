"""The generated parts of `docs/`, made of the code and kept between marks."""
