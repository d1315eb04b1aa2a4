#pragma once

class MYLIB_EXPORT Window : public QWidget {
  Q_OBJECT
 public:
  /** Shows it. */
  void show() { visible_ = true; }

 signals:
  void closed();

 private:
  bool visible_;
};
