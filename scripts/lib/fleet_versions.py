"""A part of test-fleet: programs of an earlier release and those of this one, in every combination."""

import os

from fleet_test import Wrong, now
from machines import run

EARLIER = "0.0.9"


class Versions:
    def earlier(self):
        """From this release back to the one before, coordinator first, and then forward again as operators go."""
        if not self.options.earlier:
            self.row("an earlier release beside this one", "not looked at: --earlier", "")
            return
        self.step("An earlier release beside this one, while visitors ask")
        built = os.path.join(self.folder, "packages-earlier")
        self.build(built, self.options.earlier)
        old = {"package_files": self.other_version(EARLIER, source=built), "package_version": EARLIER}
        new = self.installed_packages()
        # What it was linked with then. (Ansible looks for that in a package that is newer than the one that is there.)
        for name, program in (("control", "pagewright-coordinator"), ("control", "pagewright"), *(
                (name, "pagewright-agent") for name in self.agents)):
            package = next(file for file in os.listdir(built) if file.startswith(program + "_"))
            self.fleet[name].inside(
                "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "--no-install-recommends", "satisfy",
                run(["dpkg-deb", "-f", os.path.join(built, package), "Depends"]).stdout.strip(), timeout=300)
        began = now()
        with self.visitors() as visitors:
            for what, tag, packages in (
                ("this release's agents, with a coordinator of an earlier one on the database of this one", "coordinator", old),
                ("an earlier release", "agents", old),
                ("an earlier release's agents, with this release's coordinator", "coordinator", new),
                ("this release, come from an earlier one", "agents", new),
            ):
                self.play("upgrade.yml", "--tags", tag, variables=packages)
                self.step(f"{what[0].upper()}{what[1:]}")
                versions = {name: self.installed(name, "pagewright-agent") for name in self.agents}
                versions["control"] = self.installed("control", "pagewright-coordinator")
                wanted = packages["package_version"]
                concerned = ["control"] if tag == "coordinator" else self.agents
                if any(versions[name] != wanted for name in concerned):
                    raise Wrong(f"{what}: {versions}")
                self.until(self.ready, "the coordinator is ready", 120)
                for name in self.agents:
                    self.well(name)
                self.main_job()
        self.none_failed(visitors, "an earlier release and this one, in every combination")
        self.row("an earlier release beside this one, 4 combinations", f"{now() - began:.0f} s, all of them work")
