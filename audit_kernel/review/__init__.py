"""Review: a month's sample and findings as one list a reviewer, out as workbooks and back as decisions."""
