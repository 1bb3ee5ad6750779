// SPDX-License-Identifier: MIT
#include "net/dns.h"

#include <ares.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace sluice::net {
namespace {

constexpr std::int64_t second = 1000;
constexpr std::int64_t shortest = second;        // /etc/hosts and TTL 0: enough for a burst
constexpr std::int64_t longest = 3600 * second;  // however long a TTL says
constexpr std::int64_t stale_for = 3600 * second;
constexpr std::int64_t retry_stale = 10 * second;  // while a stale answer serves, ask this often

// What tells one state of a file from another.
std::string version_of(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return {};
  return std::to_string(found.st_ino) + ' ' + std::to_string(found.st_size) + ' ' +
         std::to_string(found.st_mtim.tv_sec) + '.' + std::to_string(found.st_mtim.tv_nsec);
}

}  // namespace

// Lives in a coroutine's frame; leaves its query by itself, whatever ends the sleep.
struct Resolver::Waiter {
  Sleeper& sleeper;
  Waiter* next = nullptr;
  Waiter** before = nullptr;
  Result<std::vector<Address>> result = std::vector<Address>{};
  bool over = false;

  explicit Waiter(Sleeper& by) : sleeper(by) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { leave(); }
  void join(Waiter*& head) {
    next = head;
    if (next) next->before = &next;
    before = &head;
    head = this;
  }
  void leave() {
    if (!before) return;
    *before = next;
    if (next) next->before = before;
    before = nullptr;
  }
};

struct Resolver::Query {
  Resolver& resolver;
  std::string host;
  Waiter* waiters = nullptr;
  Result<std::vector<Address>> result = std::vector<Address>{};
};

struct Resolver::Foreign {
  Resolver& resolver;
  int fd;
  Watch* watch = nullptr;
};

struct Resolver::Timer final : Alarm {
  explicit Timer(Resolver& of) : resolver(of) {}
  Resolver& resolver;
  void ring() override { resolver.process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }
};

Resolver::Resolver(Loop& loop, ResolverOptions options)
    : loop_(loop), options_(std::move(options)), timer_(std::make_unique<Timer>(*this)) {}

Result<std::unique_ptr<Resolver>> Resolver::make(Loop& loop, const ResolverOptions& options) {
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  std::unique_ptr<Resolver> out(new Resolver(loop, options));
  const int status = library == ARES_SUCCESS ? out->open_channel() : library;
  if (status != ARES_SUCCESS) {
    return fail(Fault::internal, "The name resolver cannot start.", std::string("c-ares: ") + ares_strerror(status));
  }
  return out;
}

int Resolver::open_channel() {
  std::string file = options_.file;
  ares_options wanted{};
  wanted.timeout = options_.timeout_ms;
  wanted.tries = options_.tries;
  wanted.resolvconf_path = file.data();
  wanted.sock_state_cb_data = this;
  wanted.sock_state_cb = [](void* resolver, ares_socket_t fd, int read, int write) {
    static_cast<Resolver*>(resolver)->descriptor(fd, read != 0, write != 0);
  };
  std::string version = version_of(options_.file);
  ares_channel made = nullptr;
  int status = ares_init_options(&made, &wanted,
                                 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) return status;
  if (!options_.servers.empty()) status = ares_set_servers_ports_csv(made, options_.servers.c_str());
  if (status != ARES_SUCCESS) {
    ares_destroy(made);
    return status;
  }
  if (channel_) ares_destroy(channel_);
  channel_ = made;
  version_ = std::move(version);
  return status;
}

// A machine that moves to another network gets other name servers; c-ares looks only once.
void Resolver::follow_file() {
  if (!queries_.empty() || version_of(options_.file) == version_) return;
  [[maybe_unused]] const int status = open_channel();  // on a failure the old one goes on
}

Resolver::~Resolver() {
  // Their sleepers are left to their deadlines: nobody may be resumed from a destructor.
  for (const auto& [host, query] : queries_) {
    while (query->waiters) query->waiters->leave();
  }
  if (channel_) ares_destroy(channel_);
  for (const auto& [fd, foreign] : descriptors_) loop_.drop(foreign->watch, false);
}

const Resolver::Answer* Resolver::fresh(const std::string& host) const {
  const auto known = answers_.find(host);
  return known != answers_.end() && loop_.now_ms() < known->second.fresh_until ? &known->second : nullptr;
}

Task<Result<std::vector<Address>>> Resolver::resolve(Sleeper& sleeper, std::string host) {
  if (const auto address = parse_address(host)) co_return std::vector<Address>{*address};
  if (const Answer* known = fresh(host)) co_return known->addresses;
  if (!queries_.contains(host)) {
    if (auto at_once = ask(host)) co_return std::move(*at_once);
  }
  Waiter waiter(sleeper);
  waiter.join(queries_.find(host)->second->waiters);
  while (!waiter.over) {
    const Woke woke = co_await sleeper.woken();
    if (woke == Woke::timeout) {
      co_return fail(Fault::upstream_timeout, "The upstream did not connect in time.", "DNS: no answer for " + host);
    }
    if (woke == Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
  }
  co_return std::move(waiter.result);
}

std::optional<Result<std::vector<Address>>> Resolver::ask(const std::string& host) {
  ++asked_;
  follow_file();
  Query& query = *queries_.emplace(host, std::make_unique<Query>(*this, host)).first->second;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(
      channel_, host.c_str(), nullptr, &hints,
      [](void* of, int status, int /*timeouts*/, ares_addrinfo* found) {
        auto& answered = *static_cast<Query*>(of);
        answered.resolver.answered(answered, status, found);
      },
      &query);
  std::optional<Result<std::vector<Address>>> at_once;
  std::erase_if(finished_, [&](const std::unique_ptr<Query>& done) {
    if (done.get() != &query) return false;
    at_once = std::move(done->result);
    return true;
  });
  // Others that ended on the way are handed out from the loop, not from inside this caller.
  set_timer();
  return at_once;
}

void Resolver::answered(Query& query, int status, ares_addrinfo* found) {
  if (status == ARES_EDESTRUCTION) return;  // queries_ dies as well
  std::vector<Address> addresses;
  std::int64_t ttl = longest;
  if (status == ARES_SUCCESS && found) {
    for (const ares_addrinfo_cname* name = found->cnames; name; name = name->next) {
      ttl = std::min(ttl, name->ttl * second);
    }
    for (const ares_addrinfo_node* node = found->nodes; node; node = node->ai_next) {
      ttl = std::min(ttl, node->ai_ttl * second);
      const auto address = address_of(node->ai_addr);
      if (address && std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
    }
  }
  if (found) ares_freeaddrinfo(found);
  const std::int64_t now = loop_.now_ms();
  if (!addresses.empty()) {
    const std::int64_t until = now + std::max(ttl, shortest);
    query.result = addresses;
    remember(query.host, Answer{std::move(addresses), until, until + stale_for});
  } else if (const auto known = answers_.find(query.host);
             known != answers_.end() && now < known->second.usable_until) {
    known->second.fresh_until = now + retry_stale;
    query.result = known->second.addresses;
  } else {
    query.result = fail(Fault::upstream_unreachable, "The upstream's host name cannot be resolved.",
                        "DNS: " + query.host + ": " + ares_strerror(status == ARES_SUCCESS ? ARES_ENODATA : status));
  }
  const auto place = queries_.find(query.host);
  finished_.push_back(std::move(place->second));
  queries_.erase(place);
}

void Resolver::remember(const std::string& host, Answer answer) {
  if (answers_.size() >= options_.most && !answers_.contains(host)) {
    const std::int64_t now = loop_.now_ms();
    std::erase_if(answers_, [now](const auto& known) { return known.second.usable_until <= now; });
    if (answers_.size() >= options_.most) {
      answers_.erase(
          std::ranges::min_element(answers_, {}, [](const auto& known) { return known.second.usable_until; }));
    }
  }
  answers_.insert_or_assign(host, std::move(answer));
}

void Resolver::descriptor(int fd, bool read, bool write) {
  // c-ares tells before it closes a descriptor, so the number cannot have been given to another file yet.
  if (const auto known = descriptors_.find(fd); known != descriptors_.end()) {
    loop_.drop(known->second->watch, false);
    descriptors_.erase(known);
  }
  if (!read && !write) return;
  auto foreign = std::make_unique<Foreign>(*this, fd);
  foreign->watch = loop_.watch(fd, false, (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U));
  if (!foreign->watch) return;  // the library's own timeout ends the query
  foreign->watch->owner = foreign.get();
  foreign->watch->on_readable = [](void* owner) {
    const auto& ready = *static_cast<Foreign*>(owner);
    ready.resolver.process(ready.fd, ARES_SOCKET_BAD);
  };
  foreign->watch->on_writable = [](void* owner) {
    const auto& ready = *static_cast<Foreign*>(owner);
    ready.resolver.process(ARES_SOCKET_BAD, ready.fd);
  };
  descriptors_.emplace(fd, std::move(foreign));
}

void Resolver::process(int read_fd, int write_fd) {
  ares_process_fd(channel_, read_fd, write_fd);
  // Resumed coroutines may ask again, so the list may grow meanwhile.
  while (!finished_.empty()) {
    const std::unique_ptr<Query> query = std::move(finished_.back());
    finished_.pop_back();
    while (Waiter* waiter = query->waiters) {
      waiter->leave();
      waiter->result = query->result;
      waiter->over = true;
      waiter->sleeper.wake();
    }
  }
  set_timer();
}

void Resolver::set_timer() {
  if (!finished_.empty()) {
    loop_.wheel().set(*timer_, loop_.now_ms());
    return;
  }
  timeval room{};
  const timeval* next = ares_timeout(channel_, nullptr, &room);
  const std::int64_t wait = next ? next->tv_sec * second + next->tv_usec / 1000 + 1 : 0;
  loop_.wheel().set(*timer_, next ? loop_.now_ms() + wait : never);
}

}  // namespace sluice::net
