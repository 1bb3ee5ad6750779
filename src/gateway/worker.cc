// SPDX-License-Identifier: MIT
#include "gateway/worker.h"

#include <unistd.h>

#include "gateway/mirror.h"
#include "gateway/probe.h"
#include "gateway/session.h"

namespace sluice {

Result<std::unique_ptr<Worker>> Worker::make(Shared& shared, std::shared_ptr<const Snapshot> snapshot,
                                             std::shared_ptr<const Directory> directory) {
  TRY(auto loop, net::Loop::make());
  TRY(auto lines, Lines::make(*loop, shared.idle_upstream));
  return std::unique_ptr<Worker>(
      new Worker(shared, std::move(snapshot), std::move(directory), std::move(loop), std::move(lines)));
}

Worker::Worker(Shared& shared, std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<const Directory> directory,
               std::unique_ptr<net::Loop> loop, std::unique_ptr<Lines> lines)
    : shared_(shared),
      loop_(std::move(loop)),
      lines_(std::move(lines)),
      snapshot_(std::move(snapshot)),
      directory_(std::move(directory)) {
  std::random_device entropy;
  std::seed_seq seed{entropy(), entropy(), entropy(), entropy(), entropy(), entropy()};
  random_.seed(seed);
  dice_ = Dice(random_());
}

Worker::~Worker() {
  prober_.reset();
  for (Session* session : sessions_) delete session;
  sessions_.clear();
  for (Mirror* copy : mirrors_) delete copy;
  mirrors_.clear();
  lines_.reset();  // its connections are on the loop
}

void Worker::accept(int fd) {
  if (shared_.open_connections.load(std::memory_order_relaxed) >= shared_.most_connections) {
    ::close(fd);
    return;
  }
  net::Socket socket(*loop_, fd);
  if (!socket.open()) return;
  shared_.open_connections.fetch_add(1, std::memory_order_relaxed);
  auto* session = new Session(*this, std::move(socket));
  sessions_.insert(session);
  session->start();
}

void Worker::closed(Session& session) {
  sessions_.erase(&session);
  shared_.open_connections.fetch_sub(1, std::memory_order_relaxed);
  loop_->bury(std::unique_ptr<Session>(&session));  // it is still on the stack
}

void Worker::mirror(std::unique_ptr<Mirror> copy) {
  Mirror* begins = copy.release();
  mirrors_.insert(begins);
  loop_->post([begins] { begins->start(); });  // nobody buries it before
}

void Worker::ended(Mirror& copy) {
  mirrors_.erase(&copy);
  loop_->bury(std::unique_ptr<Mirror>(&copy));  // it is still on the stack
}

void Worker::end_mirrors() {
  const std::vector<Mirror*> now(mirrors_.begin(), mirrors_.end());
  for (Mirror* copy : now) {
    if (mirrors_.contains(copy)) copy->cancel();
  }
}

void Worker::use(std::shared_ptr<const Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  if (prober_) prober_->use(snapshot_);
  price_book_.forget();
  std::erase_if(line_cache_, [&](const auto& entry) { return entry.second.use_count() == 1; });
}

void Worker::probe() {
  prober_ = std::make_unique<Prober>(*this);
  prober_->use(snapshot_);
}

void Worker::drain() {
  prober_.reset();
  draining_ = true;
  const std::vector<Session*> now(sessions_.begin(), sessions_.end());
  for (Session* session : now) {
    if (sessions_.contains(session)) session->drain();
  }
  end_mirrors();
}

void Worker::cut() {
  cutting_ = true;
  const std::vector<Session*> now(sessions_.begin(), sessions_.end());
  for (Session* session : now) {
    if (sessions_.contains(session)) session->cut();
  }
  end_mirrors();
}

std::shared_ptr<const Line> Worker::line(const Backend& backend) {
  auto& line = line_cache_[backend.serial];
  if (!line) line = std::make_shared<const Line>(line_to(backend, shared_.environment));
  return line;
}

std::string Worker::make_id() {
  constexpr std::string_view letters = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id(28, '\0');
  char* at = id.data() + std::string_view("req_").copy(id.data(), 4);
  for (int word = 0; word < 2; ++word) {
    std::uint64_t bits = random_();
    for (int i = 0; i < 12; ++i, bits >>= 5) *at++ = letters.data()[bits & 31];
  }
  return id;
}

}  // namespace sluice
