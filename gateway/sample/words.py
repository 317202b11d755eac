"""Word lists for people, schools and courses. Family names and places are made up of parts; nobody is meant."""

from __future__ import annotations

GIVEN_NAMES = (
    "Aaliyah", "Abel", "Ada", "Adrian", "Aiko", "Alba", "Alden", "Alma", "Amara", "Amir", "Anaïs", "Anders", "Anika",
    "Anton", "Aria", "Arlo", "Asa", "Asha", "Astrid", "August", "Ava", "Ayla", "Basil", "Bea", "Björn", "Bram", "Bree",
    "Caleb", "Calla", "Camila", "Carys", "Cato", "Celeste", "Cleo", "Cyrus", "Dalia", "Damian", "Dara", "Daria",
    "Dario", "Davi", "Delia", "Desmond", "Dina", "Dov", "Edda", "Eero", "Elif", "Elio", "Eloise", "Emeka", "Emil",
    "Enzo", "Esme", "Ezra", "Fatima", "Felix", "Fern", "Finn", "Flora", "Freya", "Gael", "Gemma", "Gideon", "Greta",
    "Hana", "Hassan", "Hazel", "Hugo", "Ida", "Idris", "Ilya", "Imani", "Ines", "Ingrid", "Iris", "Isaac", "Ivo",
    "Jada", "Jalen", "Jasper", "Javier", "Jonas", "José", "Juno", "Kai", "Kamal", "Keiko", "Kenji", "Kira", "Kofi",
    "Lars", "Layla", "Leif", "Lena", "Leo", "Liv", "Luca", "Lucía", "Maeve", "Malik", "Marisol", "Mateo", "Maya",
    "Mei", "Mika", "Milo", "Mira", "Nadia", "Naomi", "Nico", "Nia", "Nils", "Noor", "Odin", "Olga", "Omar", "Oona",
    "Orla", "Oscar", "Otis", "Paloma", "Pax", "Petra", "Pia", "Priya", "Quinn", "Rafael", "Ravi", "Rhea", "Rosa",
    "Rowan", "Ruben", "Rumi", "Sadie", "Salma", "Sami", "Sanjay", "Selma", "Simon", "Sol", "Soren", "Tahir", "Talia",
    "Tamsin", "Tara", "Theo", "Tova", "Uma", "Vera", "Viggo", "Wren", "Xavi", "Yara", "Yusuf", "Zadie", "Zane", "Zola",
)  # fmt: skip

FAMILY_STARTS = (
    "Alder", "Amber", "Apple", "Ash", "Barley", "Bell", "Birch", "Black", "Bramble", "Bright", "Brook", "Cedar",
    "Clay", "Clover", "Copper", "Crane", "Drift", "Elder", "Ember", "Fair", "Falcon", "Fern", "Flint", "Fox", "Frost",
    "Gold", "Green", "Harrow", "Hart", "Hawk", "Hazel", "Heath", "Holly", "Iron", "Juniper", "Kestrel", "Lark",
    "Linden", "Long", "Maple", "Marsh", "Meadow", "Mill", "Moon", "Moss", "North", "Oak", "Otter", "Pine", "Plum",
    "Quill", "Raven", "Reed", "River", "Rowan", "Sage", "Silver", "Sparrow", "Stone", "Storm", "Summer", "Swift",
    "Thistle", "Thorn", "Vale", "Wether", "Wild", "Willow", "Winter", "Wren",
)  # fmt: skip
FAMILY_ENDS = (
    "acre", "ard", "beck", "bourne", "by", "combe", "croft", "dale", "den", "fell", "field", "ford", "gard", "gate",
    "grove", "ham", "hurst", "ings", "land", "ley", "lock", "low", "man", "mere", "more", "ridge", "row", "sen",
    "shaw", "side", "ström", "ton", "vik", "wall", "ward", "well", "wick", "wood", "worth", "young",
)  # fmt: skip

PLACE_ENDS = ("Bend", "Creek", "Field", "Grove", "Harbor", "Hill", "Lake", "Meadow", "Park", "Point", "Ridge", "Valley")

SECTION_LETTERS = ("A", "B", "C", "D", "E", "F", "G", "H")

ELECTIVES = ("Art", "Music", "Physical Education")

HIGH_SCHOOL_TITLES = {
    ("MATH", 9): "Algebra I", ("MATH", 10): "Geometry", ("MATH", 11): "Algebra II", ("MATH", 12): "Statistics",
    ("ELA", 9): "English 9", ("ELA", 10): "English 10", ("ELA", 11): "American Literature",
    ("ELA", 12): "World Literature",
    ("SCI", 9): "Physical Science", ("SCI", 10): "Biology", ("SCI", 11): "Chemistry", ("SCI", 12): "Physics",
    ("SOC", 9): "World Geography", ("SOC", 10): "World History", ("SOC", 11): "U.S. History",
    ("SOC", 12): "Government and Economics",
}  # fmt: skip

ASCII = {"ï": "i", "ö": "o", "é": "e", "í": "i"}
"""For user names and e-mail addresses."""
