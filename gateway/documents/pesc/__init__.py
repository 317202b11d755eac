"""The PESC High School Transcript 1.5.0: a student's record as the XML that states and colleges read."""
