"""Offices, boxes and their enrolment, central's keys, and the feeds it signs."""
