"""Figures with their units, in three digits or so."""


def seconds(value: float) -> str:
    """A time in three digits or so, with its unit: 840 ms, 2.31 s, 93.1 s, 1,204 s."""
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 9.995:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 99.95 else f"{value:,.0f} s"


def rate(value: float) -> str:
    """So many in a second, in three digits: 0.95, 12.4, 1,204."""
    return (
        f"{value:.2f}" if value < 9.995 else f"{value:,.1f}" if value < 99.95 else f"{value:,.0f}"
    )
