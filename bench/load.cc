// load: an HTTP/1.1 client for chat requests that measures and judges a proxy; for the benchmarks only. One thread, one
// epoll; plain HTTP, IPv4 only.
//
//   load PORT [options]                 on 127.0.0.1; prints one JSON object
//     --dialect NAME                      spoken by this client, as in manners.h (default openai_chat)
//     --model NAME                        steers the mock, see steer.h
//     --body BYTES  --calls N             size of the request, tool calls in its conversation
//     --stream  --no-usage  --sdk-headers  --key KEY
//     --conns N                           connections; each starts its next request when the last is answered
//     --rate R                            instead: R requests a second by the clock (latency counts from the due time)
//     --warmup S  --secs S                measured span after a warm-up
//     --requests N                        instead: exactly N requests, without warm-up
//     --cancel P                          so many of 100 requests are left: half sent, unanswered, or half answered
//     --pid P[,P...]                      whose CPU time and memory to measure
//
// Times are in microseconds. "events" are the mock's paced events, "event age" is the time from the mock's write to our
// read. CPU is user and system time over the measured span. SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "proc.h"
#include "prompt.h"
#include "reply_reader.h"

namespace bench {
namespace {

struct Options {
  std::uint16_t port = 0;
  const Manner* manner = &openai_chat;
  Prompt prompt;
  std::size_t conns = 32;
  double rate = 0, warmup = 0.5, secs = 2;
  std::uint64_t requests = 0;
  unsigned cancel = 0;
  std::vector<std::string> pids;
};

class Samples {
 public:
  void add(std::uint64_t from, std::uint64_t to) {
    us_.push_back(to > from ? static_cast<float>(to - from) / 1000 : 0);
  }
  double at(double share) {
    if (us_.empty()) return 0;
    const auto k = std::min(us_.size() - 1, static_cast<std::size_t>(share * static_cast<double>(us_.size())));
    std::nth_element(us_.begin(), us_.begin() + static_cast<long>(k), us_.end());
    return us_[k];
  }

 private:
  std::vector<float> us_;
};

enum class Leave { no, half_sent, unanswered, half_answered };

struct Connection {
  int fd = -1;
  bool connected = false, busy = false;
  std::uint64_t due = 0;  // when the request in flight should have started
  std::size_t sent = 0;
  Tag tag{};
  Leave leave = Leave::no;
  ReplyReader reader;
};

class Load {
 public:
  explicit Load(Options options)
      : options_(std::move(options)),
        request_(make_request(*options_.manner, options_.prompt)),
        expected_{options_.manner, options_.prompt.stream, read_steering(options_.prompt.model)} {}
  int run();

 private:
  void connect_one(Connection& c);
  void renew(Connection& c, bool abruptly);
  void start(Connection& c, std::uint64_t due);
  void next(Connection& c);
  bool flush(Connection& c);               // false when the connection was left or broke
  bool on_event(Connection& c, unsigned);  // false when the connection is to be renewed
  bool receive(Connection& c);
  void wrong(const Connection& c, const char* why);
  void schedule(std::uint64_t now);
  void print(double seconds, const Usage& before, const Usage& after);
  [[nodiscard]] bool bounded() const { return options_.requests != 0; }
  [[nodiscard]] std::uint64_t settled() const { return done_ + errors_ + left_; }

  Options options_;
  Request request_;
  Expected expected_;
  int poll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;
  std::deque<std::uint64_t> waiting_;  // due, but no connection is idle
  std::vector<char> read_buffer_ = std::vector<char>(256 * 1024);
  std::mt19937 random_{20240229};
  Samples latency_, first_byte_, event_age_;
  std::uint64_t started_ = 0, done_ = 0, errors_ = 0, left_ = 0, events_ = 0;
  std::size_t opening_ = 0, live_ = 0;
  unsigned refused_ = 0;  // connections in a row: a proxy that died is no work to wait for
  std::uint32_t next_tag_ = static_cast<std::uint32_t>(now_ns() >> 10);
  double next_due_ = 0;
  bool measuring_ = false;
  std::string complaint_;
};

void Load::connect_one(Connection& c) {
  c = Connection{};
  c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (c.fd < 0 ||
      (connect(c.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)) {
    std::perror("load: connect");
    std::exit(1);
  }
  ++opening_;
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &c}};
  epoll_ctl(poll_, EPOLL_CTL_ADD, c.fd, &event);
}

void Load::renew(Connection& c, bool abruptly) {
  if (c.busy) --live_;
  if (!c.connected) {
    --opening_;
    if (++refused_ == 10'000) {
      std::fprintf(stderr, "load: nobody accepts connections on port %u any more\n", unsigned{options_.port});
      std::exit(1);
    }
  }
  std::erase(idle_, &c);
  const linger reset{.l_onoff = 1, .l_linger = 0};
  if (abruptly) setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(c.fd);
  connect_one(c);
}

void Load::wrong(const Connection& c, const char* why) {
  if (!measuring_) return;
  ++errors_;
  if (complaint_.empty()) complaint_ = c.reader.complaint().empty() ? why : c.reader.complaint();
}

void Load::start(Connection& c, std::uint64_t due) {
  c.busy = true;
  c.due = due;
  c.sent = 0;
  ++live_;
  ++started_;
  std::array<char, tag_size + 1> text{};
  std::snprintf(text.data(), text.size(), "%08x", ++next_tag_);
  std::copy_n(text.begin(), tag_size, c.tag.begin());
  c.reader.begin(expected_, c.tag);
  c.leave =
      options_.cancel != 0 && random_() % 100 < options_.cancel ? static_cast<Leave>(1 + random_() % 3) : Leave::no;
  if (!flush(c)) renew(c, random_() % 2 == 0);
}

// What an idle connection does next.
void Load::next(Connection& c) {
  if (bounded() && started_ >= options_.requests) return;
  if (options_.rate == 0) return start(c, now_ns());
  if (waiting_.empty()) return idle_.push_back(&c);
  const auto due = waiting_.front();
  waiting_.pop_front();
  start(c, due);
}

bool Load::flush(Connection& c) {
  const std::size_t half = request_.size() / 2;
  while (c.sent < request_.size()) {
    std::array<iovec, 3> parts{};
    std::size_t count = 0, skip = c.sent;
    for (const std::string_view part : {std::string_view(request_.before), std::string_view(c.tag.data(), tag_size),
                                        std::string_view(request_.after)}) {
      if (skip < part.size()) parts[count++] = {const_cast<char*>(part.data()) + skip, part.size() - skip};
      skip -= std::min(skip, part.size());
    }
    if (c.leave == Leave::half_sent) {
      parts[0].iov_len = std::min(parts[0].iov_len, half);
      count = 1;
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t n = sendmsg(c.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) break;
    c.sent += static_cast<std::size_t>(n);
    if (c.leave == Leave::half_sent) break;
  }
  if (c.leave == Leave::half_sent || (c.leave == Leave::unanswered && c.sent == request_.size())) {
    ++left_;
    return false;
  }
  return true;
}

bool Load::receive(Connection& c) {
  for (;;) {
    const ssize_t n = recv(c.fd, read_buffer_.data(), read_buffer_.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) {
      if (c.busy) wrong(c, "the connection was closed before the reply's end");
      return false;
    }
    if (!c.busy) {
      wrong(c, "bytes without a request");
      return false;
    }
    std::string_view bytes(read_buffer_.data(), static_cast<std::size_t>(n));
    const bool begun = c.reader.started();
    const auto state = c.reader.feed(bytes, [&](std::uint64_t stamp) {
      if (!measuring_) return;
      ++events_;
      event_age_.add(stamp, now_ns());
    });
    if (!begun && c.reader.started() && measuring_) first_byte_.add(c.due, now_ns());
    if (state == ReplyReader::State::wrong) {
      wrong(c, "wrong reply");
      return false;
    }
    if (state == ReplyReader::State::done) {
      if (!bytes.empty()) {
        wrong(c, "bytes after the reply's end");
        return false;
      }
      if (measuring_) {
        ++done_;
        latency_.add(c.due, now_ns());
      }
      c.busy = false;
      --live_;
      next(c);
    } else if (c.leave == Leave::half_answered && c.reader.started()) {
      ++left_;
      return false;
    }
    if (static_cast<std::size_t>(n) < read_buffer_.size()) return true;
  }
}

bool Load::on_event(Connection& c, unsigned what) {
  if (!c.connected && (what & EPOLLOUT) != 0 && (what & (EPOLLERR | EPOLLHUP)) == 0) {
    c.connected = true;
    refused_ = 0;
    --opening_;
    next(c);
    return true;
  }
  if (c.busy && (what & EPOLLOUT) != 0 && c.sent < request_.size() && !flush(c)) return false;
  if ((what & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) == 0) return true;
  if (!receive(c)) return false;
  if ((what & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) == 0) return true;
  if (c.busy) wrong(c, "the connection was closed before the reply's end");
  return false;
}

void Load::schedule(std::uint64_t now) {
  if (options_.rate == 0) return;
  for (; next_due_ <= static_cast<double>(now); next_due_ += 1e9 / options_.rate) {
    const auto due = static_cast<std::uint64_t>(next_due_);
    if (idle_.empty()) {
      waiting_.push_back(due);
      continue;
    }
    Connection* c = idle_.back();
    idle_.pop_back();
    start(*c, due);
  }
}

int Load::run() {
  poll_ = epoll_create1(EPOLL_CLOEXEC);
  std::array<epoll_event, 256> events{};
  measuring_ = bounded();
  std::uint64_t begin = now_ns() + (bounded() ? 0 : static_cast<std::uint64_t>(options_.warmup * 1e9));
  const std::uint64_t end = begin + static_cast<std::uint64_t>(options_.secs * 1e9);
  const std::uint64_t stuck = begin + static_cast<std::uint64_t>(600e9);
  next_due_ = static_cast<double>(now_ns());
  Usage before = usage_of(options_.pids);
  for (;;) {
    while (connections_.size() < options_.conns && opening_ < 128) {
      connections_.push_back(std::make_unique<Connection>());
      connect_one(*connections_.back());
    }
    const std::uint64_t now = now_ns();
    if (!measuring_ && now >= begin) {
      measuring_ = true;
      before = usage_of(options_.pids);
      begin = now_ns();
    }
    if (bounded() ? settled() >= options_.requests || now > stuck : now >= end) break;
    schedule(now);
    std::uint64_t wake = bounded() ? stuck : measuring_ ? end : begin;
    if (options_.rate > 0) wake = std::min(wake, static_cast<std::uint64_t>(next_due_));
    const std::uint64_t left = wake > now ? wake - now : 0;
    const timespec pause{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    const int n = epoll_pwait2(poll_, events.data(), events.size(), &pause, nullptr);
    for (int i = 0; i < n; ++i) {
      auto& c = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (!on_event(c, events[static_cast<std::size_t>(i)].events)) renew(c, random_() % 2 == 0);
    }
  }
  const Usage after = usage_of(options_.pids);
  print(static_cast<double>(now_ns() - begin) / 1e9, before, after);
  return errors_ == 0 ? 0 : 3;
}

void Load::print(double seconds, const Usage& before, const Usage& after) {
  const double cpu = (after.cpu_ns - before.cpu_ns) / 1000;
  const auto per = [&](std::uint64_t n) { return n == 0 ? 0.0 : cpu / static_cast<double>(n); };
  const auto count = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf(
      "{\"done\":%llu,\"errors\":%llu,\"left\":%llu,\"late\":%zu,\"live\":%zu,\"events\":%llu,\"seconds\":%.3f,",
      count(done_), count(errors_), count(left_), waiting_.size(), live_, count(events_), seconds);
  std::printf("\"per_second\":%.0f,\"events_per_second\":%.0f,", static_cast<double>(done_) / seconds,
              static_cast<double>(events_) / seconds);
  std::printf("\"p50\":%.0f,\"p90\":%.0f,\"p99\":%.0f,\"p999\":%.0f,\"first_p50\":%.0f,\"first_p99\":%.0f,",
              latency_.at(.5), latency_.at(.9), latency_.at(.99), latency_.at(.999), first_byte_.at(.5),
              first_byte_.at(.99));
  std::printf("\"age_p50\":%.0f,\"age_p99\":%.0f,", event_age_.at(.5), event_age_.at(.99));
  std::printf("\"cpu_us\":%.3f,\"cpu_us_event\":%.3f,\"cores\":%.3f,\"rss_kib\":%.0f,\"complaint\":\"", per(done_),
              per(events_), cpu / 1e6 / seconds, after.rss_kib);
  for (const char c : complaint_.substr(0, 600)) {
    if (c == '"' || c == '\\') std::putchar('\\');
    if (static_cast<unsigned char>(c) >= ' ') std::putchar(c);
  }
  std::printf("\"}\n");
}

bool read_options(int argc, char** argv, Options& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto value = [&] { return std::string(++i < argc ? argv[i] : ""); };
    if (name == "--stream") {
      out.prompt.stream = true;
    } else if (name == "--no-usage") {
      out.prompt.usage = false;
    } else if (name == "--sdk-headers") {
      out.prompt.sdk_headers = true;
    } else if (name == "--dialect") {
      out.manner = manner(value());
    } else if (name == "--model") {
      out.prompt.model = value();
    } else if (name == "--key") {
      out.prompt.key = value();
    } else if (name == "--body") {
      out.prompt.bytes = std::strtoul(value().c_str(), nullptr, 10);
    } else if (name == "--calls") {
      out.prompt.calls = static_cast<unsigned>(std::strtoul(value().c_str(), nullptr, 10));
    } else if (name == "--conns") {
      out.conns = std::strtoul(value().c_str(), nullptr, 10);
    } else if (name == "--rate") {
      out.rate = std::strtod(value().c_str(), nullptr);
    } else if (name == "--warmup") {
      out.warmup = std::strtod(value().c_str(), nullptr);
    } else if (name == "--secs") {
      out.secs = std::strtod(value().c_str(), nullptr);
    } else if (name == "--requests") {
      out.requests = std::strtoul(value().c_str(), nullptr, 10);
    } else if (name == "--cancel") {
      out.cancel = static_cast<unsigned>(std::strtoul(value().c_str(), nullptr, 10));
    } else if (name == "--pid") {
      std::istringstream list(value());
      for (std::string pid; std::getline(list, pid, ',');) out.pids.push_back(pid);
    } else if (out.port == 0 && !name.starts_with("--")) {
      out.port = static_cast<std::uint16_t>(std::strtoul(argv[i], nullptr, 10));
    } else {
      std::fprintf(stderr, "load: %s is no option\n", argv[i]);
      return false;
    }
  }
  out.prompt.host = "127.0.0.1:" + std::to_string(out.port);
  if (out.prompt.key.empty()) out.prompt.key = "sk-client-0123456789abcdef0123456789abcdef";
  return out.port != 0 && out.conns != 0 && out.manner != nullptr;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  if (!bench::read_options(argc, argv, options)) {
    std::fprintf(stderr, "usage: load PORT [options]; the options stand at the top of load.cc\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  return bench::Load(std::move(options)).run();
}
