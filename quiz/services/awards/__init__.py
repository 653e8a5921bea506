"""Awards: who gets the prizes of a round, and how that is checked, announced, corrected and paid.

choosing is the pure rule, sources the candidates, lists the steps of a list, places one place that changes hands,
lots the draw that anyone can check, effects what a correction would do, reading and payout what people see of it.
"""
