"""Words and rules both sides share: money, identifiers, calendar, journal format. No I/O, no clock, no chance."""
