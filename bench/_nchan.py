"""nginx with nchan beside us: one worker, as it comes."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")
SUBSCRIBE, PUBLISH = "/sub", "/pub"


def module() -> Path | None:
    """nchan's module; None where nginx or the module is not installed."""
    found = (Path(folder) / "ngx_nchan_module.so" for folder in MODULES)
    return next((path for path in found if path.exists()), None) if shutil.which("nginx") else None


def configuration(folder: Path, port: int) -> Path:
    """Write a configuration for up to 19,900 subscribers of one channel, without pings.

    The worker may have more connections than files: with less than a sixteenth of them free, it drops those whose
    request it has not read yet. It warns of that when it starts.
    """
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if not os.getuid() else ""
    path = folder / "nchan.conf"
    path.write_text(f"""load_module {module()};
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;
worker_rlimit_nofile 20000; {user}
events {{ worker_connections 24000; use epoll; multi_accept on; }}
http {{
  access_log off; tcp_nodelay on; {temporary}
  nchan_shared_memory_size 256M; keepalive_requests 100000000; client_body_buffer_size 64k;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = {PUBLISH} {{
      nchan_publisher http; nchan_channel_id radio; nchan_message_buffer_length 20; nchan_message_timeout 1m;
    }}
    location = {SUBSCRIBE} {{
      nchan_subscriber websocket; nchan_channel_id radio; nchan_subscriber_first_message newest;
      nchan_websocket_ping_interval 0;
    }}
  }}
}}
""")
    return path


def worker(master: int) -> int:
    """The process that does the work."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if children:
            return int(children[0])
    return master
