// SPDX-License-Identifier: MIT
#include "gateway/gateway.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <unordered_set>

#include "net/proxy_env.h"

namespace sluice {
namespace {

// Each client connection may need an upstream one, and some descriptors are ours.
std::int64_t most_connections(std::int64_t configured) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_NOFILE, &files);
  }
  const auto third = std::max<std::int64_t>(16, static_cast<std::int64_t>(files.rlim_cur / 3));
  return configured > 0 ? std::min(configured, third) : third;
}

// A proxy variable that cannot be read is told at the start, not when the first call goes around the proxy.
Result<bool> check_proxy_variables(Environment environment) {
  std::optional<std::string> kept;
  const auto get = [&](const char* name) -> const char* {
    kept = environment(name);
    return kept ? kept->c_str() : nullptr;
  };
  for (const std::string_view scheme : {"http", "https"}) {
    const auto proxy = net::proxy_of(get, scheme, "host.invalid", 443);
    if (!proxy) return std::unexpected(proxy.error());
  }
  return true;
}

// Inherited sockets serve where they are. A supervisor decides that; a process before us must have been where the
// configuration wants us.
Result<net::Bound> listen(const ServerSettings& server, const net::Inherited& inherited, int workers) {
  const auto port = static_cast<std::uint16_t>(server.port);
  if (inherited.sockets.empty()) return net::Bound::make(server.host, port, workers);
  TRY(auto bound, net::Bound::adopt(inherited.sockets, workers));
  if (!inherited.activated && !bound.is_at(server.host, port)) {
    return fail(Fault::bad_request, "The running process listens on " + bound.text() +
                                        ", the configuration wants another address. Only a stop and a start can "
                                        "change server.host and server.port.");
  }
  return bound;
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(Shared& shared, const std::shared_ptr<const Snapshot>& snapshot,
                                                const std::shared_ptr<const Directory>& directory,
                                                const net::Inherited& inherited) {
  const ServerSettings& server = snapshot->config().server;
  auto out = std::unique_ptr<Gateway>(new Gateway(shared));
  TRY_VOID(check_proxy_variables(shared.environment));
  shared.most_connections = most_connections(server.max_connections);
  shared.gates.bound(*snapshot);
  if (server.tls) {
    TRY(shared.tls, net::TlsServer::make(server.tls->cert, server.tls->key));
  }
  const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  const auto count = static_cast<int>(server.workers > 0 ? server.workers : cores);
  TRY(auto bound, listen(server, inherited, count));
  out->address_ = bound.text();
  out->deals_ = !bound.even();
  out->sockets_.activated = inherited.activated;
  out->threads_ = std::vector<Thread>(static_cast<std::size_t>(count));  // listeners hold their addresses
  for (int i = 0; i < count; ++i) {
    Thread& thread = out->threads_[static_cast<std::size_t>(i)];
    thread.gateway = out.get();
    TRY(thread.worker, Worker::make(shared, snapshot, directory));
    const auto accept = [](void* on, int fd) {
      auto& here = *static_cast<Thread*>(on);
      here.gateway->accept(here, fd);
    };
    thread.listener = std::make_unique<net::Listener>(thread.worker->loop(), bound.take(i), accept, &thread);
    const std::vector<int> own = thread.listener->sockets();
    out->sockets_.sockets.insert(out->sockets_.sockets.end(), own.begin(), own.end());
    ++out->listening_;
  }
  out->threads_.front().worker->probe();
  for (Thread& thread : out->threads_) {
    thread.thread = std::thread([loop = &thread.worker->loop()] { loop->run(); });
  }
  return out;
}

Gateway::~Gateway() {
  for (Thread& t : threads_) {
    if (!t.thread.joinable()) continue;
    t.worker->loop().post([&t] {
      t.listener.reset();
      t.worker->cut();
    });
    t.worker->loop().stop();
    t.thread.join();
  }
}

void Gateway::publish(const std::shared_ptr<const Snapshot>& snapshot) {
  shared_.gates.bound(*snapshot);
  for (Thread& t : threads_) {
    t.worker->loop().post([worker = t.worker.get(), snapshot] { worker->use(snapshot); });
  }
}

bool Gateway::publish(const std::shared_ptr<const Directory>& directory, std::chrono::milliseconds patience) {
  struct Taken {
    std::mutex mutex;
    std::condition_variable all;
    std::size_t left;
  };
  auto taken = std::make_shared<Taken>();  // a worker may come to it when nobody waits any more
  taken->left = threads_.size();
  for (Thread& t : threads_) {
    t.worker->loop().post([worker = t.worker.get(), directory, taken] {
      worker->use(directory);
      const std::scoped_lock lock(taken->mutex);
      if (--taken->left == 0) taken->all.notify_one();
    });
  }
  std::unique_lock lock(taken->mutex);
  const bool all = taken->all.wait_for(lock, patience, [&] { return taken->left == 0; });
  if (all) keep_meters(*directory);
  return all;
}

void Gateway::keep_meters(const Directory& directory) {
  std::unordered_set<NodeId> there;
  for (const auto& [name, key] : directory.keys()) there.insert(key->id);
  for (const auto& [name, group] : directory.groups()) there.insert(group->id);
  shared_.meters.keep_only([&](NodeId node) { return there.contains(node); });
}

Result<bool> Gateway::reload_certificate() {
  return shared_.tls ? shared_.tls->reload() : Result<bool>(true);
}

void Gateway::accept(Thread& on, int fd) {
  Thread& next = deals_ ? threads_[turn_.fetch_add(1, std::memory_order_relaxed) % threads_.size()] : on;
  if (&next == &on) return on.worker->accept(fd);
  ++dealt_;
  next.worker->loop().post([this, &next, fd] {
    next.worker->accept(fd);
    --dealt_;
  });
}

void Gateway::drain(bool successor) {
  shared_.draining.store(true);
  for (Thread& t : threads_) {
    t.worker->loop().post([this, &t, shared = successor || sockets_.activated] {
      t.worker->drain();
      t.listener->close(shared);  // what the kernel has accepted already is taken first, or left to whoever comes
      --listening_;
    });
  }
}

}  // namespace sluice
