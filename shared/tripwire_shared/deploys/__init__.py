"""The record of deploys: which version came when, by whom, how long it took and how it ended."""
