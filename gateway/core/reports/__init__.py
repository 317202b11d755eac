"""Reports for people who lead schools: how scorers compare, who needs attention, how students grow.

Pure functions over what a mapping makes of evidence. Each report is made of counts of parts that hold all rows of their
students; the counts of all parts are added up, so that memory does not grow with the number of scores and the result
does not depend on the cut. Documented in ``docs/reports.md``.
"""
