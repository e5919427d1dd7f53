"""Values as people say them: numbers, money, dates, times, digits, telephone numbers. Pure text, no audio."""
