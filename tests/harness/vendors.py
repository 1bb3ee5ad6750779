"""The vendors that most tests ask: their backends' names, models and dialects. SPDX-License-Identifier: MIT"""

VENDORS = {"openai": "gpt-4o", "claude": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}
DIALECTS = {"openai": "openai_chat", "claude": "anthropic", "gemini": "gemini"}
