"""Units by the symbols that are written in any language, and by their names in the CLDR. Data."""

from typing import Final

#: Symbol -> name in the CLDR.
SYMBOLS: Final = {
    "km": "length-kilometer", "cm": "length-centimeter", "mm": "length-millimeter", "nm": "length-nanometer",
    "µm": "length-micrometer", "μm": "length-micrometer", "ft": "length-foot", "mi": "length-mile",
    "m²": "area-square-meter", "km²": "area-square-kilometer", "cm²": "area-square-centimeter",
    "m^2": "area-square-meter", "km^2": "area-square-kilometer", "cm^2": "area-square-centimeter",
    "m2": "area-square-meter", "km2": "area-square-kilometer", "ha": "area-hectare",
    "m³": "volume-cubic-meter", "cm³": "volume-cubic-centimeter", "km³": "volume-cubic-kilometer",
    "m^3": "volume-cubic-meter", "m3": "volume-cubic-meter", "cm3": "volume-cubic-centimeter",
    "ml": "volume-milliliter", "mL": "volume-milliliter", "cl": "volume-centiliter", "dl": "volume-deciliter",
    "kg": "mass-kilogram", "mg": "mass-milligram", "µg": "mass-microgram", "lb": "mass-pound", "lbs": "mass-pound",
    "oz": "mass-ounce",
    "kB": "digital-kilobyte", "KB": "digital-kilobyte", "MB": "digital-megabyte", "GB": "digital-gigabyte",
    "TB": "digital-terabyte", "PB": "digital-petabyte", "kbit": "digital-kilobit", "Mbit": "digital-megabit",
    "Gbit": "digital-gigabit", "Mb": "digital-megabit", "Gb": "digital-gigabit",
    "Hz": "frequency-hertz", "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz",
    "kW": "power-kilowatt", "MW": "power-megawatt", "GW": "power-gigawatt", "mW": "power-milliwatt",
    "hp": "power-horsepower",
    "kWh": "energy-kilowatt-hour", "kJ": "energy-kilojoule", "kcal": "energy-kilocalorie",
    "ms": "duration-millisecond", "µs": "duration-microsecond", "μs": "duration-microsecond",
    "ns": "duration-nanosecond", "min": "duration-minute", "mins": "duration-minute", "sec": "duration-second",
    "secs": "duration-second", "hr": "duration-hour", "hrs": "duration-hour",
    "°C": "temperature-celsius", "°F": "temperature-fahrenheit", "℃": "temperature-celsius",
    "km/h": "speed-kilometer-per-hour", "m/s": "speed-meter-per-second", "mph": "speed-mile-per-hour",
    "hPa": "pressure-hectopascal", "kPa": "pressure-kilopascal", "px": "graphics-pixel", "MP": "graphics-megapixel",
    "Mpx": "graphics-megapixel", "dpi": "graphics-dot-per-inch", "ppi": "graphics-pixel-per-inch",
    "mA": "electric-milliampere",
    "‰": "concentr-permille", "%": "concentr-percent", "٪": "concentr-percent",
}  # fmt: skip

#: Symbols of one letter, which may be words: only those that are no word of a language are read (`not_units` there).
LETTERS: Final = {
    "m": "length-meter", "g": "mass-gram", "l": "volume-liter", "L": "volume-liter", "s": "duration-second",
    "h": "duration-hour", "W": "power-watt", "V": "electric-volt",
}  # fmt: skip

#: Symbols of quotients: (unit, by what it is divided), names of the CLDR.
QUOTIENTS: Final = {
    f"{symbol}{ending}": (f"digital-{name}", "duration-second")
    for symbol, name in {
        "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte",
        "kbit": "kilobit", "Mbit": "megabit", "Gbit": "gigabit", "kb": "kilobit", "Mb": "megabit", "Gb": "gigabit",
    }.items()
    for ending in ("/s", "/sec", "ps")
    if ending != "ps" or symbol[-1] != "B"
}  # fmt: skip

#: Units of which locales have symbols of their own (Russian "кг", French "Mo").
NAMES: Final = frozenset(
    name
    for name in SYMBOLS.values()
    if name.endswith(("meter", "gram", "liter", "byte", "bit", "watt", "hertz", "per-hour", "per-second", "watt-hour"))
    and "mile" not in name
)
