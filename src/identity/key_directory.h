// KeyDirectory: the current KeySnapshot, swapped whole. One per process, owned by services, safe on
// every thread. Readers hold the snapshot they took; reload() is called by the config refresh only.
#pragma once

#include <memory>
#include <mutex>

#include "identity/key_snapshot.h"
#include "sql/database.h"

namespace deeppool::identity {

class KeyDirectory {
 public:
  // Empty before the first reload; never null.
  std::shared_ptr<const KeySnapshot> current() const;
  // Blocking. On an error the snapshot stays as it was.
  Result<void> reload(sql::Database& database);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const KeySnapshot> current_ = std::make_shared<KeySnapshot>();
};

}  // namespace deeppool::identity
