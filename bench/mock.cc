// mock: a very fast stand-in for the vendors of manners.h, whole and (most of them) SSE, for the benchmarks only.
// One thread, one epoll. The model's name steers the reply (steer.h). Not a check of what a gateway sends in full: it
// refuses only what ask.h names.
//
//   mock PORT
//
// Besides the vendors' paths it answers
//   GET /stats               {"requests","refused","in_progress","departed","connections"}
//   GET /seen?tag=XXXXXXXX      nanoseconds (CLOCK_MONOTONIC) at which that request arrived, 0 = not yet
//   GET /departed?tag=XXXXXXXX  nanoseconds at which its client closed while the reply was in progress, 0 = it did not
// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "ask.h"
#include "prompt.h"

namespace bench {
namespace {

struct Connection {
  int fd = -1;
  std::uint32_t generation = 0;
  std::string in, out;  // bytes not read yet; bytes the socket did not take yet
  const Manner* manner = nullptr;
  Ask ask;
  bool busy = false;     // a reply is in progress
  unsigned written = 0;  // events of it
};

struct Timer {
  std::uint64_t due = 0;
  int fd = -1;
  std::uint32_t generation = 0;
  bool operator>(const Timer& other) const { return due > other.due; }
};

struct Counts {
  std::uint64_t requests = 0, refused = 0, in_progress = 0, departed = 0, connections = 0;
};

std::string with_head(int status, std::string_view type, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) + (status == 200 ? " OK" : " Refused") +
         "\r\nContent-Type: " + std::string(type) +
         "\r\nx-request-id: req_mock\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

constexpr std::string_view stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    "x-request-id: req_mock\r\nTransfer-Encoding: chunked\r\n\r\n";

class Mock {
 public:
  bool listen_on(std::uint16_t port);
  void run();

 private:
  void accept_all();
  bool receive(Connection& c);  // false when the peer is gone
  std::size_t take_requests(Connection& c, std::string_view bytes);
  void advance(Connection& c);
  void answer(Connection& c, const Message& message);
  void send_whole(Connection& c);
  void send_event(Connection& c);
  void put(Connection& c, std::string_view bytes);
  void flush(Connection& c);
  void wait(Connection& c) { timers_.push({now_ns() + c.ask.steer.pace_ns, c.fd, c.generation}); }
  void drop(Connection& c);
  std::string control(std::string_view path);

  int poll_ = -1, listener_ = -1;
  std::vector<std::unique_ptr<Connection>> by_fd_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::unordered_map<std::string, std::string> whole_;  // ready-made replies by dialect and model
  std::unordered_map<std::string, std::uint64_t> seen_, departed_;
  Counts counts_;
  Message message_;
  std::string scratch_, frame_;
  std::vector<char> read_buffer_ = std::vector<char>(256 * 1024);
};

bool Mock::listen_on(std::uint16_t port) {
  const int one = 1;
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  if (listen(listener_, 4096) != 0) return false;
  poll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener_}};
  return epoll_ctl(poll_, EPOLL_CTL_ADD, listener_, &event) == 0;
}

void Mock::accept_all() {
  const int one = 1;
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (by_fd_.size() <= static_cast<std::size_t>(fd)) by_fd_.resize(static_cast<std::size_t>(fd) + 64);
    auto& slot = by_fd_[static_cast<std::size_t>(fd)];
    const std::uint32_t generation = slot ? slot->generation + 1 : 1;
    slot = std::make_unique<Connection>();
    slot->fd = fd;
    slot->generation = generation;
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.fd = fd}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
    ++counts_.connections;
  }
}

void Mock::drop(Connection& c) {
  if (c.busy) {
    --counts_.in_progress;
    ++counts_.departed;
    if (departed_.size() > 100'000) departed_.clear();
    departed_[std::string(c.ask.tag.data(), tag_size)] = now_ns();
  }
  --counts_.connections;
  close(c.fd);
  c.busy = false;
  c.fd = -1;
  c.in.clear();
  c.out.clear();
}

void Mock::put(Connection& c, std::string_view bytes) {
  if (c.out.empty()) {
    const ssize_t n = send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  c.out.append(bytes);
}

void Mock::flush(Connection& c) {
  if (c.out.empty()) return;
  const std::string pending = std::move(c.out);
  c.out.clear();
  put(c, pending);
  if (c.out.empty() && c.busy && c.ask.stream && c.ask.steer.pace_ns == 0) advance(c);
}

void Mock::send_whole(Connection& c) {
  const std::string name = std::string(c.manner->name()) + c.ask.model;
  auto& reply = whole_[name];
  if (reply.empty()) reply = with_head(200, "application/json", c.manner->whole(c.ask, reply_text(c.ask)));
  const auto tag = reply.rfind(tag_name);
  reply.replace(tag + tag_name.size(), tag_size, c.ask.tag.data(), tag_size);
  put(c, reply);
}

void Mock::send_event(Connection& c) {
  scratch_.clear();
  ++c.written;
  c.manner->event(scratch_, c.ask, c.written == 1, c.written == c.ask.steer.events);
  std::array<char, 24> size{};
  const int n = snprintf(size.data(), size.size(), "%zx\r\n", scratch_.size());
  frame_.assign(size.data(), static_cast<std::size_t>(n)).append(scratch_).append("\r\n");
  if (c.written == c.ask.steer.events) frame_.append("0\r\n\r\n");
  put(c, frame_);
}

// Sends what is due now: all that is left when the reply has no pace, else one event and a timer for the next.
void Mock::advance(Connection& c) {
  if (!c.ask.stream) {
    send_whole(c);
    c.busy = false;
  }
  while (c.busy && c.out.empty()) {
    send_event(c);
    if (c.written == c.ask.steer.events) {
      c.busy = false;
    } else if (c.ask.steer.pace_ns != 0) {
      return wait(c);
    }
  }
  if (!c.busy) {
    --counts_.in_progress;
  } else if (c.ask.steer.pace_ns != 0) {
    wait(c);  // the reader is slower than the pace
  }
}

std::string Mock::control(std::string_view path) {
  const auto equals = path.find('=');
  const std::string tag(equals == path.npos ? std::string_view{} : path.substr(equals + 1));
  const auto at = [&](const auto& map) { return map.contains(tag) ? std::to_string(map.at(tag)) : std::string("0"); };
  if (path.starts_with("/seen")) return at(seen_);
  if (path.starts_with("/departed")) return at(departed_);
  return R"({"requests":)" + std::to_string(counts_.requests) + R"(,"refused":)" + std::to_string(counts_.refused) +
         R"(,"in_progress":)" + std::to_string(counts_.in_progress) + R"(,"departed":)" +
         std::to_string(counts_.departed) + R"(,"connections":)" + std::to_string(counts_.connections) + "}";
}

void Mock::answer(Connection& c, const Message& message) {
  if (message.method == "GET") return put(c, with_head(200, "application/json", control(message.path)));
  ++counts_.requests;
  const auto found = std::ranges::find_if(manners, [&](const Manner* m) { return m->takes(message.path); });
  c.manner = found == manners.end() ? &openai_chat : *found;
  const Verdict verdict = found == manners.end() ? Verdict{404, "no such path"} : read_ask(message, *c.manner, c.ask);
  if (verdict.status != 200) {
    ++counts_.refused;
    return put(c, with_head(verdict.status, "application/json", c.manner->refusal(verdict.why)));
  }
  ++counts_.in_progress;
  c.busy = true;
  c.written = 0;
  if (c.ask.steer.pace_ns >= 20'000'000) {  // only slow replies are asked about
    if (seen_.size() > 100'000) seen_.clear();
    seen_[std::string(c.ask.tag.data(), tag_size)] = now_ns();
  }
  if (c.ask.stream) put(c, stream_head);
  if (c.ask.steer.pace_ns != 0) return wait(c);
  advance(c);
}

// Answers the requests that are all in `bytes`, one reply at a time. The number of bytes taken, npos = not HTTP.
std::size_t Mock::take_requests(Connection& c, std::string_view bytes) {
  std::size_t sum = 0;
  while (!c.busy && sum < bytes.size()) {
    const std::size_t taken = read_message(bytes.substr(sum), message_);
    if (taken == std::string::npos) return taken;
    if (taken == 0) break;
    sum += taken;
    answer(c, message_);
  }
  return sum;
}

bool Mock::receive(Connection& c) {
  for (;;) {
    const ssize_t n = recv(c.fd, read_buffer_.data(), read_buffer_.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) return false;
    std::string_view bytes(read_buffer_.data(), static_cast<std::size_t>(n));
    if (c.in.empty()) {  // mostly all of it came at once and need not be kept
      const auto taken = take_requests(c, bytes);
      if (taken == std::string::npos) return false;
      bytes.remove_prefix(taken);
    }
    c.in.append(bytes);
    if (static_cast<std::size_t>(n) < read_buffer_.size()) break;
  }
  const auto taken = take_requests(c, c.in);
  if (taken == std::string::npos) return false;
  c.in.erase(0, taken);
  return true;
}

void Mock::run() {
  std::array<epoll_event, 512> events{};
  for (;;) {
    timespec pause{};
    if (!timers_.empty()) {
      const std::uint64_t now = now_ns(), due = timers_.top().due, left = due > now ? due - now : 0;
      pause = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    }
    const int n = epoll_pwait2(poll_, events.data(), events.size(), timers_.empty() ? nullptr : &pause, nullptr);
    for (int i = 0; i < n; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == listener_) {
        accept_all();
        continue;
      }
      Connection& c = *by_fd_[static_cast<std::size_t>(event.data.fd)];
      if (c.fd < 0) continue;
      const bool ended = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
      if (((event.events & EPOLLIN) != 0 && !receive(c)) || ended) {
        drop(c);
        continue;
      }
      if ((event.events & EPOLLOUT) != 0) flush(c);
      if (!c.busy && !c.in.empty() && !receive(c)) drop(c);
    }
    for (const std::uint64_t now = now_ns(); !timers_.empty() && timers_.top().due <= now;) {
      const Timer timer = timers_.top();
      timers_.pop();
      Connection& c = *by_fd_[static_cast<std::size_t>(timer.fd)];
      if (c.fd < 0 || c.generation != timer.generation || !c.busy) continue;
      advance(c);
      if (!c.busy && !c.in.empty() && !receive(c)) drop(c);
    }
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const int port = argc == 2 ? std::atoi(argv[1]) : 0;
  if (port <= 0 || port > 65535) {
    std::fprintf(stderr, "usage: mock PORT\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  bench::Mock mock;
  if (!mock.listen_on(static_cast<std::uint16_t>(port))) {
    std::perror("mock: listen");
    return 1;
  }
  mock.run();
}
