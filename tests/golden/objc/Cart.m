// A cart that holds items.
#import <Foundation/Foundation.h>
#import "Cart.h"

#define MAX_ITEMS 20

/// What can happen to a cart.
typedef NS_ENUM(NSInteger, CartEvent) {
    CartEventAdded,
    CartEventPaid,
};

/// Things with a price.
@protocol Priced <NSObject>
/// The price in cents.
- (NSInteger)price;
@optional
@property (nonatomic, readonly) NSString *label;
@end

/**
 * A cart that holds items until they are paid.
 */
@interface Cart : NSObject <Priced> {
    NSMutableArray *_items;
}

@property (nonatomic, copy) NSString *owner;

/// Makes a cart for a person.
- (instancetype)initWithOwner:(NSString *)owner limit:(NSUInteger)limit;
+ (Cart *)shared;
@end

@interface Cart ()
- (void)check;
@end

@implementation Cart

/// Makes a cart for a person.
- (instancetype)initWithOwner:(NSString *)owner limit:(NSUInteger)limit {
    if ((self = [super init])) {
        _owner = [owner copy];
    }
    return self;
}

+ (Cart *)shared {
    static Cart *cart;
    return cart;
}

#pragma mark - Priced

- (NSInteger)price {
    NSInteger (^add)(NSInteger) = ^NSInteger(NSInteger x) {
        return x + 1;
    };
    return add(0);
}

@end

@implementation NSString (Cart)
- (BOOL)isCart { return [self hasPrefix:@"cart"]; }
@end

/* Compares two carts by price. */
static int compareCarts(const void *a, const void *b) {
    return 0;
}

int main(int argc, char *argv[]) {
    @autoreleasepool {
        NSLog(@"%@", [Cart shared]);
    }
    return compareCarts(NULL, NULL);
}
