// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <utility>

#include "serve_command.h"

namespace sluice {

int serve_detached(ServeOptions options) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    std::cerr << "sluice: " << std::strerror(errno) << '\n';
    return 2;
  }
  const pid_t child = ::fork();
  if (child < 0) {
    std::cerr << "sluice: " << std::strerror(errno) << '\n';
    return 2;
  }
  if (child == 0) {
    ::close(ends[0]);
    ::setsid();
    if (const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC); nothing >= 0) {
      ::dup2(nothing, STDIN_FILENO);
      ::close(nothing);
    }
    options.serving = [end = ends[1]] {
      const char word = 'y';
      [[maybe_unused]] const auto told = ::write(end, &word, 1);
      ::close(end);
    };
    return serve_command(std::move(options));
  }
  ::close(ends[1]);
  char word = 0;
  ssize_t got = 0;
  do {
    got = ::read(ends[0], &word, 1);
  } while (got < 0 && errno == EINTR);
  ::close(ends[0]);
  if (got == 1) return 0;
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

}  // namespace sluice
