/*
 * Mothership's launcher: PID 1 of every container that runs an app.
 *
 *   launcher app COMMAND     buildpack image: the profile scripts, then COMMAND by bash
 *   launcher apprun ARGV...  buildpack image: the profile scripts, then ARGV as it is
 *   launcher sh COMMAND      any image: COMMAND by /bin/sh in the image's working directory
 *   launcher exec ARGV...    any image: ARGV as it is
 *
 * The command gets its own process group, in the foreground when standard input is a terminal. Signals are passed
 * to that group, orphans are reaped, and the launcher ends with the command's exit code, or 128 + the signal that
 * ended it. 127: the command was not found; 126: it could not be run; 125: the launcher itself failed.
 *
 * MOTHERSHIP_DRAIN=N: SIGTERM is passed on at most N seconds after it came, so that the proxy can let go of this
 * container first and what it carries can end: as soon as nobody has been connected to $PORT for a second, and not
 * within the first two. A second SIGTERM, or SIGUSR2, ends the wait.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FAILED = 125, CANNOT_RUN = 126, NOT_FOUND = 127 };

/* Milliseconds: how often connections are looked for, how long there must be none, and the least time of a drain. */
enum { LOOK = 200, QUIET = 1000, LEAST = 2000 };

/* TCP states in /proc/net/tcp (proc(5)): established, and closed by the other side only. */
enum { ESTABLISHED = 1, CLOSE_WAIT = 8 };

/* Scripts are sourced at top level (in a function, their `declare`s would be lost) and see no positional parameters. */
static const char PROFILE[] =
	"__argv=(\"$@\"); set --\n"
	"for __script in /app/.profile.d/*.sh /app/.profile; do\n"
	"  if [ -f \"$__script\" ]; then . \"$__script\"; fi\n"
	"done\n"
	"unset __script\n"
	"exec \"${__argv[@]}\"\n";

static _Noreturn void fail(int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("mothership: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	fflush(stderr);
	_exit(code);
}

static _Noreturn void run(char **argv)
{
	execvp(argv[0], argv);
	fail(errno == ENOENT ? NOT_FOUND : CANNOT_RUN, "cannot run %s: %s", argv[0], strerror(errno));
}

/* Replace this process by bash, which sources the profile scripts and then becomes `words`. */
static _Noreturn void run_with_profile(char **words, int count)
{
	char **argv = calloc(count + 5, sizeof *argv);
	if (!argv)
		fail(FAILED, "out of memory");
	argv[0] = "bash";
	argv[1] = "-c";
	argv[2] = (char *)PROFILE;
	argv[3] = "bash";
	memcpy(argv + 4, words, count * sizeof *argv);
	setenv("HOME", "/app", 1);
	if (chdir("/app"))
		fail(CANNOT_RUN, "cannot enter /app: %s", strerror(errno));
	run(argv);
}

static _Noreturn void become(const char *mode, char **words, int count)
{
	char *by_bash[] = {"bash", "-c", words[0], NULL};
	char *by_sh[] = {"/bin/sh", "-c", words[0], NULL};
	if (!strcmp(mode, "app"))
		run_with_profile(by_bash, 3);
	if (!strcmp(mode, "apprun"))
		run_with_profile(words, count);
	if (!strcmp(mode, "sh"))
		run(by_sh);
	run(words);
}

static bool usable(int argc, char **argv)
{
	if (argc < 3)
		return false;
	if (!strcmp(argv[1], "app") || !strcmp(argv[1], "sh"))
		return argc == 3;
	return !strcmp(argv[1], "apprun") || !strcmp(argv[1], "exec");
}

/* Fork the command into its own process group. All signals are blocked here; the command starts with `mask`. */
static pid_t launch(char **argv, int argc, const sigset_t *mask)
{
	pid_t child = fork();
	if (child < 0)
		fail(FAILED, "cannot fork: %s", strerror(errno));
	if (child == 0) {
		setpgid(0, 0);
		/* Allowed from the background because SIGTTOU is still blocked. */
		if (isatty(STDIN_FILENO))
			tcsetpgrp(STDIN_FILENO, getpid());
		sigprocmask(SIG_SETMASK, mask, NULL);
		become(argv[1], argv + 2, argc - 2);
	}
	/* In both processes, so that whichever comes first, the group exists before it is used. */
	setpgid(child, child);
	return child;
}

/* Collect every process that has ended; end with the command when it is among them. */
static void reap(pid_t command)
{
	int status;
	pid_t ended;
	while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
		if (ended == command)
			_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	}
}

static struct timespec now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time;
}

static long milliseconds_since(struct timespec moment)
{
	struct timespec time = now();
	return (time.tv_sec - moment.tv_sec) * 1000 + (time.tv_nsec - moment.tv_nsec) / 1000000;
}

static bool connected_in(const char *table, unsigned port)
{
	FILE *file = fopen(table, "re");
	char line[512];
	unsigned local, state;
	bool found = false;
	while (file && !found && fgets(line, sizeof line, file))
		found = sscanf(line, " %*[^:]: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &local, &state) == 2 &&
			local == port && (state == ESTABLISHED || state == CLOSE_WAIT);
	if (file)
		fclose(file);
	return found;
}

/* Whether anybody is connected to the port that the command serves. */
static bool connected(unsigned port)
{
	return connected_in("/proc/net/tcp", port) || connected_in("/proc/net/tcp6", port);
}

/* The wait between a SIGTERM and its passing on. */
struct drain {
	bool on;
	struct timespec since, busy;
};

static bool drain_is_over(struct drain *drain, long seconds, unsigned port)
{
	long time = milliseconds_since(drain->since);
	if (connected(port))
		drain->busy = now();
	return time >= seconds * 1000 || (time >= LEAST && milliseconds_since(drain->busy) >= QUIET);
}

/* Signals are taken one at a time from the blocked set, so that no handler ever interrupts anything. */
static _Noreturn void supervise(pid_t command, const sigset_t *signals, long seconds, unsigned port)
{
	bool drained = seconds == 0;
	struct drain drain = {false, {0, 0}, {0, 0}};
	const struct timespec look = {0, LOOK * 1000000L};
	for (;;) {
		int signal = sigtimedwait(signals, NULL, drain.on ? &look : NULL);
		if (signal < 0 && errno == EINTR)
			continue;
		bool wait_is_over = drain.on && (signal == SIGTERM || signal == SIGUSR2 || drain_is_over(&drain, seconds, port));
		if (signal == SIGCHLD) {
			reap(command);
		} else if (wait_is_over) {
			drain.on = false;
			drained = true;
			kill(-command, SIGTERM);
		} else if (signal == SIGTERM && !drained) {
			drain = (struct drain){true, now(), now()};
		} else if (signal > 0) {
			kill(-command, signal);
		}
	}
}

static long drain_seconds(void)
{
	const char *text = getenv("MOTHERSHIP_DRAIN");
	long seconds = text ? strtol(text, NULL, 10) : 0;
	unsetenv("MOTHERSHIP_DRAIN");
	return seconds < 0 ? 0 : seconds > 86400 ? 86400 : seconds;
}

static unsigned port_served(void)
{
	const char *text = getenv("PORT");
	return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

/* Everything but the signals a fault of our own raises: those must end us, not loop. */
static sigset_t signals_to_take(void)
{
	const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t signals;
	sigfillset(&signals);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&signals, faults[i]);
	return signals;
}

int main(int argc, char **argv)
{
	if (!usable(argc, argv))
		fail(FAILED, "usage: launcher app COMMAND | apprun ARGV... | sh COMMAND | exec ARGV...");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail(FAILED, "cannot set no_new_privs: %s", strerror(errno));
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	long drain = drain_seconds();
	sigset_t signals = signals_to_take(), mask;
	sigprocmask(SIG_BLOCK, &signals, &mask);
	supervise(launch(argv, argc, &mask), &signals, drain, port_served());
}
