"""The Java buildpack: Maven and Gradle, versions, what apps find when they run, and rebuilds that fetch nothing."""

import json
import re
from pathlib import Path

import pytest

from tests.engine.server import EXAMPLES, Server

POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>plain</artifactId>
  <version>1.0</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <build>
    <plugins>
      <plugin>
        <artifactId>maven-jar-plugin</artifactId>
        <configuration><archive><manifest><mainClass>Main</mainClass></manifest></archive></configuration>
      </plugin>
    </plugins>
  </build>
</project>
"""
MAIN = """\
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

public class Main {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("0.0.0.0", port), 0);
        server.createContext("/", exchange -> {
            StringBuilder said = new StringBuilder("{");
            String[] names = {
                "JDBC_DATABASE_URL", "JDBC_DATABASE_PASSWORD", "SPRING_DATASOURCE_USERNAME", "JAVA_TOOL_OPTIONS"
            };
            for (String name : names) {
                said.append("\\"" + name + "\\": \\"" + System.getenv(name) + "\\", ");
            }
            said.append("\\"heap\\": " + Runtime.getRuntime().maxMemory() / 1048576 + ", ");
            said.append("\\"java\\": " + System.getProperty("java.specification.version") + "}");
            byte[] body = said.toString().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
"""
HELLO = "src/main/java/hello/Hello.java"
PLAIN = {"pom.xml": POM, "src/main/java/Main.java": MAIN}
PATIENCE = 900
"""Seconds: the first push to ask for an extra makes it."""


def copied(example: str) -> dict[str, str]:
    root = EXAMPLES / example
    return {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file() and "target" not in p.parts}


def test_the_spring_boot_example_is_served_and_a_change_of_its_source_fetches_nothing(
    server: Server, folder: Path
) -> None:
    server.commit(folder, copied("java-spring-boot"))
    pushed = server.push(folder, "j-spring", timeout=PATIENCE)
    assert pushed.code == 0, pushed.text
    assert server.get("j-spring").body == "Hello from Spring Boot on Java 21.\n"
    source = folder / "src/main/java/hello/Hello.java"
    server.commit(
        folder, {"src/main/java/hello/Hello.java": source.read_text().replace("Hello from", "Greetings from")}
    )
    packages = server.data / "cache/j-spring/java/.m2/repository/org"
    before = sum(1 for _ in packages.rglob("*.jar"))
    pushed = server.push(folder, "j-spring", timeout=PATIENCE)
    assert pushed.code == 0 and "Adding java" not in pushed.text, pushed.text
    assert server.get("j-spring").body == "Greetings from Spring Boot on Java 21.\n"
    assert sum(1 for _ in packages.rglob("*.jar")) == before > 10


def test_a_plain_jar_is_started_with_the_version_asked_for_and_a_heap_that_fits(server: Server, folder: Path) -> None:
    server.commit(folder, {**PLAIN, "system.properties": "java.runtime.version=17\n"})
    assert server.ssh("apps:create j-plain").returncode == 0
    url = "postgres://ada:p%40ss@db.example.com:5433/shop?sslmode=disable"
    assert server.ssh(f"config:set j-plain DATABASE_URL={url}").returncode == 0
    pushed = server.push(folder, "j-plain", timeout=PATIENCE)
    assert pushed.code == 0 and "system.properties asks for 17" in pushed.text, pushed.text
    said = json.loads(server.get("j-plain").body)
    assert said["java"] == 17
    assert said["JDBC_DATABASE_URL"] == (
        "jdbc:postgresql://db.example.com:5433/shop?user=ada&password=p%40ss&sslmode=disable"
    )
    assert said["JDBC_DATABASE_PASSWORD"] == "p@ss"  # noqa: S105
    assert said["SPRING_DATASOURCE_USERNAME"] == "ada"
    assert re.search(r"-Xmx\d+m", said["JAVA_TOOL_OPTIONS"]) and 100 < said["heap"] < 512


def test_a_procfile_may_start_the_classes_as_they_lie(server: Server, folder: Path) -> None:
    procfile = "web: java $JAVA_OPTS -cp target/classes:target/dependency/* Main\n"
    server.commit(folder, {**PLAIN, "Procfile": procfile})
    pushed = server.push(folder, "j-classes", timeout=PATIENCE)
    assert pushed.code == 0, pushed.text
    assert json.loads(server.get("j-classes").body)["java"] == 17


def test_goals_and_options_are_config_vars(server: Server, folder: Path) -> None:
    profile = (
        "<profiles><profile><id>other</id><build><finalName>named-by-profile</finalName></build></profile></profiles>"
    )
    server.commit(folder, {**PLAIN, "pom.xml": POM.replace("</project>", f"{profile}</project>")})
    assert server.ssh("apps:create j-goals").returncode == 0
    line = "config:set j-goals MAVEN_CUSTOM_GOALS=package 'MAVEN_CUSTOM_OPTS=-DskipTests -Pother'"
    assert server.ssh(line).returncode == 0
    pushed = server.push(folder, "j-goals", timeout=PATIENCE)
    assert pushed.code == 0 and "mvn -DskipTests -Pother package" in pushed.text, pushed.text
    assert "named-by-profile.jar" in server.ssh("ps j-goals --json").stdout
    assert json.loads(server.get("j-goals").body)["java"] == 17


def test_source_that_does_not_compile_says_so_and_what_to_try(server: Server, folder: Path) -> None:
    server.commit(folder, {**PLAIN, "src/main/java/Main.java": "public class Main { nonsense }"})
    pushed = server.push(folder, "j-broken", timeout=PATIENCE)
    assert pushed.code == 1 and "Maven could not build the app" in pushed.text, pushed.text
    assert "COMPILATION ERROR" in pushed.text and "Traceback" not in pushed.text


@pytest.mark.parametrize(
    ("app", "files", "expected"),
    [
        ("j-none", {"system.properties": "java.runtime.version=19\n"}, ("no Java 19", "8, 11, 17, 21, 25, 26")),
        ("j-words", {"system.properties": "java.runtime.version=newest\n"}, ("'newest', which is not a version",)),
        ("j-tools", {".tool-versions": "java temurin-19.0.2+7\n"}, ("no Java 19", ".tool-versions")),
        ("j-mvn", {"system.properties": "maven.version=3.0.99\n"}, ("Maven 3.0.99", "can't be fetched")),
        ("j-wrap", {"gradlew": "#!/bin/sh\n", "pom.xml": ""}, ("gradle wrapper",)),
    ],
)
def test_a_version_that_can_not_be_had_is_an_error_that_lists_what_can(
    server: Server, folder: Path, app: str, files: dict[str, str], expected: tuple[str, ...]
) -> None:
    server.commit(folder, {name: text for name, text in {**PLAIN, **files}.items() if text})
    pushed = server.push(folder, app, timeout=PATIENCE)
    assert pushed.code == 1, pushed.text
    assert all(words in pushed.text for words in expected), pushed.text


def test_a_maven_version_is_fetched_once(server: Server, folder: Path) -> None:
    server.commit(folder, {**PLAIN, "system.properties": "maven.version=3.9.11\njava.runtime.version=21\n"})
    pushed = server.push(folder, "j-maven", timeout=PATIENCE)
    assert pushed.code == 0 and "Fetching Maven 3.9.11" in pushed.text, pushed.text
    server.commit(folder, {"src/main/java/Main.java": MAIN + "// changed\n"})
    pushed = server.push(folder, "j-maven", timeout=PATIENCE)
    assert pushed.code == 0 and "Fetching Maven" not in pushed.text, pushed.text


def test_an_app_with_nothing_to_build_gets_the_java_it_names(server: Server, folder: Path) -> None:
    files = {"system.properties": "java.runtime.version=21\n", "Procfile": "web: java Main.java\n", "Main.java": MAIN}
    server.commit(folder, files)
    pushed = server.push(folder, "j-jvm", timeout=PATIENCE)
    assert pushed.code == 0 and "Nothing to build" in pushed.text, pushed.text
    assert json.loads(server.get("j-jvm").body)["java"] == 21
