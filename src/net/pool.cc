// SPDX-License-Identifier: MIT
#include "net/pool.h"

#include <algorithm>

namespace sluice::net {

std::string origin_key(const Origin& origin) {
  std::string key = (origin.tls ? "https://" : "http://") + origin.host + ':' + std::to_string(origin.port);
  if (origin.proxy) {
    const Proxy& p = *origin.proxy;
    key += (p.kind == Proxy::Kind::socks5 ? " socks5 " : " connect ") + p.user + ':' + p.password + '@' + p.host + ':' +
           std::to_string(p.port);
  }
  if (!origin.ca_file.empty()) key += " ca " + origin.ca_file;
  return key;
}

std::unique_ptr<ClientConnection> Pool::take(const std::string& key) {
  const auto found = shelves_.find(key);
  if (found == shelves_.end()) return nullptr;
  auto& shelf = *found->second;
  while (!shelf.empty()) {
    const std::unique_ptr<Idle> idle = std::move(shelf.back());
    shelf.pop_back();
    --idle_;
    Watch& watch = idle->connection->socket().watch();
    watch.on_gone = watch.on_readable = nullptr;
    // A byte that nobody asked for would be taken for the start of the next caller's answer.
    if (watch.gone || !idle->connection->socket().quiet()) continue;
    idle->connection->reuse();
    return std::move(idle->connection);
  }
  return nullptr;
}

void Pool::give(const std::string& key, std::unique_ptr<ClientConnection> connection) {
  auto& shelf = shelves_[key];
  if (!shelf) shelf = std::make_unique<std::vector<std::unique_ptr<Idle>>>();
  if (shelf->size() >= limits_.per_origin) return;
  auto idle = std::make_unique<Idle>(this, std::move(connection), shelf.get(), loop_.now_ms());
  Watch& watch = idle->connection->socket().watch();
  if (watch.gone) return;
  watch.owner = idle.get();
  watch.on_gone = departed;
  // Plain: any byte of an idle upstream is one too many. TLS sends session tickets, so there only a departure counts.
  if (!idle->connection->socket().tls()) watch.on_readable = departed;
  shelf->push_back(std::move(idle));
  ++idle_;
  if (sweep_.at() == never) loop_.wheel().set(sweep_, loop_.now_ms() + limits_.idle_ms);
}

void Pool::departed(void* idle) {
  auto* gone = static_cast<Idle*>(idle);
  gone->pool->remove(gone);
}

void Pool::remove(Idle* idle) {
  auto& shelf = *idle->shelf;
  const auto found = std::ranges::find(shelf, idle, &std::unique_ptr<Idle>::get);
  if (found == shelf.end()) return;
  const std::unique_ptr<Idle> dead = std::move(*found);
  shelf.erase(found);
  --idle_;
}

void Pool::sweep() {
  const std::int64_t now = loop_.now_ms();
  std::int64_t oldest = never;
  for (auto& [key, shelf] : shelves_) {
    const auto expired = [&](const std::unique_ptr<Idle>& idle) { return idle->since_ms + limits_.idle_ms <= now; };
    idle_ -= static_cast<std::int64_t>(std::erase_if(*shelf, expired));
    for (const auto& idle : *shelf) oldest = std::min(oldest, idle->since_ms);
  }
  std::erase_if(shelves_, [](const auto& entry) { return entry.second->empty(); });
  if (oldest != never) loop_.wheel().set(sweep_, oldest + limits_.idle_ms);
}

void Pool::clear() {
  for (const auto& [key, shelf] : shelves_) idle_ -= static_cast<std::int64_t>(shelf->size());
  shelves_.clear();
}

}  // namespace sluice::net
