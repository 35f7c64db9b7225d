"""RESULTS.md, the findings of README and the tables of the deviations log: all studies, from what is stored.

records   a study as it is declared and stored: its runs, and the tables that `results.build` wrote
findings  sentences on each study, whose words follow the verdicts
agreement the library held against what others wrote, from results/agreement
provision models, hardware and licences
page      RESULTS.md, section by section
readme    the findings of README, as tables
history   how the differences moved from one version of a study to the next
write     the three files
"""

from masktune.analysis.summary import agreement, findings, history, page, readme, records, write

__all__ = ["agreement", "findings", "history", "page", "readme", "records", "write"]
