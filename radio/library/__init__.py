"""The library: what can be aired, found in folders, understood, measured and kept.

Import from the modules; this file stays empty, because each measuring process imports it when it starts.

``items`` values · ``tags`` ``words`` ``artwork`` ``tagged`` what files say of themselves · ``probe`` one file ·
``worker`` ``prober`` the killable processes for it · ``walk`` ``changes`` ``scan`` folders · ``catalog`` the
tables · ``library`` the snapshot that others read · ``watch`` when to scan again · ``keeper`` all of it at work
"""
