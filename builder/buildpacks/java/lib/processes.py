"""Guess how to start a Java app from what its build left, and print it as a buildpack's release YAML."""

# ruff: noqa: T201

import re
import sys
import zipfile
from pathlib import Path

SPRING_LOADER = re.compile(r"^org\.springframework\.boot\.loader\.")
EXTRA = ("-sources.jar", "-javadoc.jar", "-tests.jar", "-plain.jar", "-plain.war")


def main(root: Path) -> None:
    command = quarkus(root) or packaged(root) or webapp(root) or installed(root)
    print("---")
    if command:
        print(f"default_process_types:\n  web: {quoted(command)}")


def quarkus(root: Path) -> str:
    """Quarkus's "fast jar", which lies in a directory of its own."""
    for folder in ("target", "build"):
        if (root / folder / "quarkus-app/quarkus-run.jar").is_file():
            return f"java -Dquarkus.http.port=$PORT $JAVA_OPTS -jar {folder}/quarkus-app/quarkus-run.jar"
    return ""


def packaged(root: Path) -> str:
    """The one archive that can be started by itself; a Spring Boot one before any other."""
    found = {path: entries(path) for path in archives(root)}
    runnable = {path: manifest for path, manifest in found.items() if "Main-Class" in manifest}
    spring = [path for path, manifest in runnable.items() if SPRING_LOADER.match(manifest["Main-Class"])]
    whole = [path for path in runnable if path.stem.endswith(("-all", "-with-dependencies", "-fat", "-runner"))]
    chosen = next((some for some in (spring, whole, list(runnable)) if some), [])
    if len(chosen) != 1:
        return ""
    path = chosen[0]
    name = str(path.relative_to(root))
    if path in spring:
        return f"java -Dserver.port=$PORT $JAVA_OPTS -jar {name}"
    port = "-Dmicronaut.server.port=$PORT " if holds(path, "META-INF/micronaut/") else ""
    return f"java {port}$JAVA_OPTS -jar {name}"


def webapp(root: Path) -> str:
    """A web archive beside the runner that the pom copies (Heroku, "Deploying Tomcat-based Java web applications")."""
    runners = sorted((root / "target/dependency").glob("webapp-runner*.jar"))
    wars = [path for path in archives(root) if path.suffix == ".war"]
    if len(wars) != 1 or not runners:
        return ""
    runner, war = (path.relative_to(root) for path in (runners[0], wars[0]))
    return f"java $JAVA_OPTS -jar {runner} --port $PORT {war}"


def installed(root: Path) -> str:
    """Gradle's installDist: one start script."""
    scripts = [p for p in root.glob("build/install/*/bin/*") if p.is_file() and p.suffix != ".bat"]
    return str(scripts[0].relative_to(root)) if len(scripts) == 1 else ""


def archives(root: Path) -> list[Path]:
    found = [path for pattern in ("target/*.[jw]ar", "build/libs/*.[jw]ar") for path in root.glob(pattern)]
    return sorted(path for path in found if not path.name.endswith(EXTRA) and not path.name.startswith("original-"))


def entries(path: Path) -> dict[str, str]:
    """The main section of an archive's manifest (JAR File Specification)."""
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read("META-INF/MANIFEST.MF").decode(errors="replace")
    except (OSError, KeyError, zipfile.BadZipFile):
        return {}
    section = re.split(r"\r?\n\r?\n", re.sub(r"\r?\n ", "", text))[0]
    return dict(line.split(": ", 1) for line in section.splitlines() if ": " in line)


def holds(path: Path, prefix: str) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(name.startswith(prefix) for name in archive.namelist())


def quoted(command: str) -> str:
    """A YAML scalar that needs no other quoting (YAML 1.2, single-quoted style)."""
    return "'" + command.replace("'", "''") + "'"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
