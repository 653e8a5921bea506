"""Everything outside a request: the drain, the boards, closing a round, and the rules they share with the web."""
